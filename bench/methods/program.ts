/** What every program of this folder does: take its options, make the runs, measure them, and keep the figures as JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Condition, type Measured, say, Workbench } from './workbench.ts';

export type Results = {
  program: string;
  /** Day of the measurement. */
  date: string;
  options: { tasks: number; seeds: number; audited: number; rollouts: number };
  measured: Measured[];
};

export type Program = {
  name: string;
  /** Makes all runs of a seed. @returns their conditions */
  runs: (bench: Workbench, seed: number) => Promise<Condition[]>;
  /** Text for the documentation, and plots by file name. */
  render: (results: Results) => { text: string; plots: { [file: string]: string } };
};

const usage = `[--data <folder>] [--out <folder>] [--tasks 70] [--seeds 3] [--audited 16] [--rollouts 64] [--render <results.json> [--figures <folder>]]`;

/** Runs a program, or with `--render` makes table and plots of results that are there. */
export async function main(program: Program): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '.crux/data/spider-train' },
      out: { type: 'string', default: '.crux/bench' },
      tasks: { type: 'string', default: '70' },
      seeds: { type: 'string', default: '3' },
      audited: { type: 'string', default: '16' },
      rollouts: { type: 'string', default: '64' },
      render: { type: 'string' },
      figures: { type: 'string', default: 'docs/figures' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(`node bench/methods/${program.name}.ts ${usage}`);
  const file = values.render ?? join(values.out, `${program.name}.json`);
  if (values.render === undefined) {
    const options = {
      tasks: Number(values.tasks),
      seeds: Number(values.seeds),
      audited: Number(values.audited),
      rollouts: Number(values.rollouts),
    };
    const measured = await measure(program, values.out, values.data, options);
    const results: Results = { program: program.name, date: new Date().toISOString().slice(0, 10), options, measured };
    writeFileSync(file, `${compact(results)}\n`);
    say(`Figures: ${file}`);
  }
  const { text, plots } = program.render(JSON.parse(readFileSync(file, 'utf8')) as Results);
  console.log(text);
  const folder = values.render === undefined ? values.out : values.figures;
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg);
}

async function measure(program: Program, out: string, data: string, options: Results['options']): Promise<Measured[]> {
  const bench = await Workbench.open({ out, data, ...options });
  try {
    const measured: Measured[] = [];
    for (let seed = 1; seed <= options.seeds; seed++) {
      for (const condition of await program.runs(bench, seed)) {
        await bench.audit(`${condition.name}-seed-${seed}`);
        measured.push((await bench.measured(condition, seed))!);
      }
    }
    return measured;
  } finally {
    await bench.close();
  }
}

/** One line for each run, six digits for each number: small enough to be kept beside the program. */
function compact({ measured, ...head }: Results): string {
  const short = (value: unknown) =>
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'number' ? Number(member.toPrecision(6)) : member,
    );
  return `{ ${short(head).slice(1, -1)}, "measured": [\n${measured.map(short).join(',\n')}\n] }`;
}

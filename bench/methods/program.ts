/** What every program of this folder does: take its options, make the runs, measure them, and keep the figures as JSON. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../../src/store/store.ts';
import { benchmarkAt } from './benchmark.ts';
import { runIdOf } from './condition.ts';
import { type Measured, measure } from './measure.ts';
import { Truth } from './truth.ts';
import { say, Workbench, type WorkbenchOptions } from './workbench.ts';

export type Results = {
  program: string;
  /** Day of the measurement. */
  date: string;
  /** Name of the data set: that of its folder. */
  data: string;
  options: { tasks: number; seeds: number; audited: number; rollouts: number };
  measured: Measured[];
};

export type Program = {
  name: string;
  /** Names of all conditions, in the order to be shown. */
  conditions: string[];
  /** Makes all runs of a seed. */
  runs: (bench: Workbench, seed: number) => Promise<void>;
  /** Text for the documentation, and plots by file name. */
  render: (results: Results) => { text: string; plots: { [file: string]: string } };
};

const usage = `[--data <folder>] [--out <folder>] [--tasks 70] [--seeds 3] [--audited 16] [--rollouts 64] [--only <condition,…>] [--stored] [--render <results.json>] [--figures <folder>]`;

/** Runs a program; with `--stored` only measures the runs that are there, with `--render` makes table and plots of results. */
export async function main(program: Program): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '.crux/data/spider-train' },
      out: { type: 'string', default: '.crux/bench' },
      tasks: { type: 'string', default: '70' },
      seeds: { type: 'string', default: '3' },
      audited: { type: 'string', default: '16' },
      rollouts: { type: 'string', default: '64' },
      only: { type: 'string' },
      stored: { type: 'boolean', default: false },
      render: { type: 'string' },
      figures: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(`node bench/methods/${program.name}.ts ${usage}`);
  const kept = values.render;
  const results =
    kept === undefined ? await makeResults(program, values) : (JSON.parse(readFileSync(kept, 'utf8')) as Results);
  const { text, plots } = program.render(results);
  console.log(text);
  const folder = values.figures ?? (kept === undefined ? values.out : join('docs/figures', results.data));
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg);
}

/** Makes the runs, measures them and writes the figures to `<out>/<program>.json`. */
async function makeResults(
  program: Program,
  {
    data,
    out,
    only,
    stored,
    ...counts
  }: { data: string; out: string; only?: string | undefined; stored: boolean } & Record<
    keyof Results['options'],
    string
  >,
): Promise<Results> {
  const options = {
    tasks: Number(counts.tasks),
    seeds: Number(counts.seeds),
    audited: Number(counts.audited),
    rollouts: Number(counts.rollouts),
  };
  if (!stored) await makeRuns(program, { out, data, only: only?.split(',') ?? null, ...options });
  const measured = await measureStored(program, out, data, options.seeds);
  const date = new Date().toISOString().slice(0, 10);
  const results: Results = { program: program.name, date, data: basename(data), options, measured };
  const file = join(out, `${program.name}.json`);
  writeFileSync(file, `${compact(results)}\n`);
  say(`Figures: ${file}`);
  return results;
}

async function makeRuns(program: Program, { seeds, ...options }: WorkbenchOptions & { seeds: number }): Promise<void> {
  const bench = await Workbench.open(options);
  try {
    for (let seed = 1; seed <= seeds; seed++) {
      await program.runs(bench, seed);
      for (const condition of program.conditions.filter((name) => bench.makes(name)))
        await bench.audit(runIdOf(condition, seed));
    }
  } finally {
    await bench.close();
  }
}

/** All runs that are finished: with `--stored` also where the program was stopped. */
async function measureStored(program: Program, out: string, data: string, seeds: number): Promise<Measured[]> {
  const store = await openStore(join(out, 'crux.db'));
  const truth = benchmarkAt(data).isKnown ? await Truth.load(data) : null;
  const measured: Measured[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    for (const condition of program.conditions) {
      const one = await measure(store, truth, condition, seed);
      if (one) measured.push(one);
    }
  }
  await store.close();
  return measured;
}

/** One line for each run, six digits for each number: small enough to be kept beside the program. */
function compact({ measured, ...head }: Results): string {
  const short = (value: unknown) =>
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'number' ? Number(member.toPrecision(6)) : member,
    );
  return `{ ${short(head).slice(1, -1)}, "measured": [\n${measured.map(short).join(',\n')}\n] }`;
}

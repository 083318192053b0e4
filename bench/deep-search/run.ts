/**
 * CSO and RRO on the sample of MuSiQue, with simulated models that search and read:
 *
 *     node bench/deep-search/run.ts --out .crux/bench-search
 *     node bench/deep-search/run.ts --render bench/results/musique/deep-search.json      # the tables again
 *
 * It needs the sample (CRUX_BENCHMARK_DATA). Started again, it goes on where it was.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase, readQuestions } from '../../src/environments/deep-search/dataset.ts';
import { importSearch } from '../../src/environments/deep-search/import/import.ts';
import { auditView, connect, deepSearch, type RunRequest, runSummary, startSimulation } from '../../src/index.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { benchmarkData } from '../../tests/helpers/benchmark-data.ts';
import { agreementOf } from './agreement.ts';
import { render } from './render.ts';
import type { Results, Row } from './results.ts';

/** `samples`: trajectories of each question. */
type Condition = Pick<RunRequest, 'method' | 'preset' | 'options'> & { samples: number };

const conditions: { [name: string]: Condition } = {
  'cso published': { method: 'cso', options: { calibrationRate: 0 }, samples: 2 },
  'cso published, no gate': { method: 'cso', options: { calibrationRate: 0, gate: false }, samples: 2 },
  'cso sound': { method: 'cso', preset: 'sound', options: { calibrationRate: 0 }, samples: 2 },
  'rro published': { method: 'rro', options: { reestimateRate: 0 }, samples: 1 },
  'rro sound': { method: 'rro', preset: 'sound', options: { reestimateRate: 0 }, samples: 1 },
};

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.crux/bench-search' },
    seeds: { type: 'string', default: '3' },
    audited: { type: 'string', default: '10' },
    rollouts: { type: 'string', default: '24' },
    render: { type: 'string' },
  },
});
const results =
  values.render === undefined ? await measure() : (JSON.parse(readFileSync(values.render, 'utf8')) as Results);
console.log(render(results));

async function measure(): Promise<Results> {
  const from = join(benchmarkData('multihop') ?? process.exit(1), 'musique_train.json');
  const data = join(values.out, 'musique');
  if (!existsSync(data)) await importSearch({ from, into: data });
  const database = openDatabase(data);
  const questions = readQuestions(database);
  database.close();
  const simulation = await startSimulation({ seed: 1, port: 0, worlds: await simulationFromDataset(data) });
  const role = (model: string, temperature = 1) => ({ endpoint: 'simulated', model, maxTokens: 512, temperature });
  const crux = await connect({
    home: values.out,
    config: {
      environments: [deepSearch({ data, name: 'musique' })],
      endpoints: { simulated: { baseUrl: `${simulation.url}/v1`, concurrency: 64 } },
      models: { policy: role('sim-policy'), expert: role('sim-expert'), prm: role('sim-prm', 0) },
    },
    report: say,
  });
  const stopWorking = await crux.work();
  const rows: Row[] = [];
  try {
    for (let seed = 1; seed <= Number(values.seeds); seed++)
      for (const [condition, { method, options, preset, samples }] of Object.entries(conditions)) {
        const runId = `${condition.replace(/\W+/g, '-')}-seed-${seed}`;
        const run = await crux.start(
          { method, options },
          { runId, seed, split: 'train', samples, ...(preset && { preset }) },
        );
        await run.result();
        await crux.audit(runId, { rollouts: Number(values.rollouts), sample: Number(values.audited) });
        rows.push(await rowOf(condition, seed, runId));
        say(`${runId}: ${rows.at(-1)!.pairs} pairs`);
      }
  } finally {
    await stopWorking();
    await crux.close();
    await simulation.close();
  }
  const tasks = [...questions.values()].filter(({ split }) => split === 'train').length;
  const made: Results = {
    date: new Date().toISOString().slice(0, 10),
    seeds: Number(values.seeds),
    tasks,
    rows,
  };
  writeFileSync(join(values.out, 'deep-search.json'), `${JSON.stringify(made)}\n`);
  return made;

  async function rowOf(condition: string, seed: number, runId: string): Promise<Row> {
    const summary = await runSummary(crux.store, runId);
    const judged = (await auditView(crux.store, runId))?.judged ?? [];
    const count = (quality: string) => judged.filter((pair) => pair.quality === quality).length;
    const isCso = summary.method === 'cso';
    const trajectories = Object.values(summary.endings).reduce((sum, one) => sum + one, 0);
    const { rolloutsPerPair, tokensPerPair } = summary.comparison;
    const pairs = summary.pairs.total;
    return {
      condition,
      seed,
      trajectories,
      successes: summary.endings.success ?? 0,
      steps: summary.steps.mined,
      candidateSteps: isCso ? (summary.steps.byVerdict.critical ?? 0) : null,
      rollouts: Math.round((rolloutsPerPair ?? 0) * pairs),
      tokens: tokensPerPair === null ? null : Math.round(tokensPerPair * pairs),
      pairs,
      flipRate: isCso ? summary.flipRate : null,
      placeboFlipRate: isCso ? summary.placeboFlipRate : null,
      audited: { pairs: judged.length, better: count('better'), equal: count('equal'), wrong: count('wrong') },
      agreement: isCso ? await agreementOf(crux.store, runId, questions) : null,
    };
  }
}

function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

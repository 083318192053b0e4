/** A whole round of a method on bundled tasks, with the same code as any other run. Only the models are simulated, and they speak HTTP like real ones. */
import { join, relative } from 'node:path';
import { type CruxConfig, checkConfig } from '../../config/config.ts';
import type { Environment } from '../../environments/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import { exportPairs } from '../../export/index.ts';
import { startSimulation } from '../../simulation/server.ts';
import { prepareRun } from '../../start/prepare.ts';
import type { Run } from '../../store/runs.ts';
import { openStore, type Store } from '../../store/store.ts';
import { loadPairs } from '../../views/pairs.ts';
import { runSummary } from '../../views/run-summary.ts';
import { demoStoreLocation, type GlobalOptions, homeOf, printResult, reachTemporal, say } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { OtherRun } from '../terminal/other-runs.ts';
import { summaryText } from '../terminal/summary.ts';
import { type Demo, type DemoName, demos } from './demos.ts';
import { reportFile, writeReport } from './report.ts';
import { workOn } from './work.ts';

/** A typical seed: with few tasks, the simulated policy's luck varies between seeds. */
const seed = 2;

type Given = { env: DemoName; fresh?: boolean; openUi?: boolean };

export async function demo(options: GlobalOptions, given: Given): Promise<void> {
  const home = homeOf(options);
  const tell = say(options);
  const startedAt = Date.now();
  const shown: Demo = demos[given.env];
  const folder = shown.folder(home);
  await shown.write(folder);
  const store = await openStore(demoStoreLocation(home));
  const simulation = await startSimulation({
    seed,
    port: 0,
    worlds: await shown.worlds(folder),
    latency: { distribution: 'lognormal', meanMs: 40 },
  });
  try {
    const config = demoConfig(shown.open(folder), simulation.url);
    const run = await chooseRun(options, config, store, shown, given);
    let otherRuns: OtherRun[] = [];
    if (run.finishedAt === null) {
      tell(shown.announcement);
      const worked = await workOn(options, config, store, run, commandOf(given));
      const { state } = worked.result;
      if (state !== 'finished') throw new CommandFailed(`The demo ended early: ${state}.`, 3);
      otherRuns = worked.otherRuns;
    } else {
      tell(`The demo is finished; this is its result. \`${commandOf(given)} --fresh\` runs it again.`);
    }
    const out = join(home, 'demo', given.env === 'sql' ? 'pairs' : `${given.env}-pairs`);
    const pairs = await loadPairs(store, run.id);
    const exported = await exportPairs(pairs, { format: 'trl', out, force: true });
    const report = reportFile(home, run.id);
    await writeReport(store, run.id, report);
    const summary = await runSummary(store, run.id);
    const here = (path: string) => relative(process.cwd(), path) || path;
    printResult(
      options,
      {
        summary,
        exported: { out, files: exported.files, rows: exported.rows },
        report,
        elapsedMs: Date.now() - startedAt,
        ...(otherRuns.length > 0 && { otherRuns }),
      },
      () =>
        [
          summaryText(summary),
          '',
          'The models are simulated: these figures show how the engine behaves, not how good a model is.',
          '',
          `Pairs    ${here(join(out, 'pairs.jsonl'))}  (${exported.rows} rows for TRL)`,
          `Report   ${here(report)}  (open it in a browser)`,
          `Next     crux show ${run.id} --task ${pairs[0]?.taskId ?? '<id>'}`,
          '         or a configuration of your own: crux init',
        ].join('\n'),
    );
    if (given.openUi) await stay(options);
  } finally {
    await simulation.close();
    await store.close();
  }
}

/** The demo's own configuration; one that a user writes looks the same. */
function demoConfig(environment: Environment, simulationUrl: string): CruxConfig {
  const price = { input: 0.1, output: 0.4 };
  return checkConfig({
    environments: [environment],
    endpoints: { simulated: { baseUrl: `${simulationUrl}/v1`, concurrency: 64 } },
    models: {
      policy: { endpoint: 'simulated', model: 'sim-policy', maxTokens: 512, price },
      expert: { endpoint: 'simulated', model: 'sim-expert', maxTokens: 512, price: { input: 1, output: 4 } },
      prm: { endpoint: 'simulated', model: 'sim-prm', maxTokens: 200, temperature: 0, price },
    },
    // The demo has so few steps that it measures luck at every one of them.
    cso: { placeboRate: 1 },
  });
}

/** Closed workflows keep their ids, so each demo gets a new one. */
function newRunId({ env }: Given): string {
  const name = env === 'sql' ? 'demo' : `demo-${env}`;
  return `${name}-${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}`;
}

/** The last demo of these tasks, even one that an earlier version of Crux finished; otherwise a new one. */
async function chooseRun(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  { environment, method }: Demo,
  given: Given,
): Promise<Run> {
  const last = (await store.runs.list()).find((run) => run.environment === environment);
  if (!last || given.fresh) {
    if (last?.finishedAt === null) await abandon(options, store, last.id, given);
    return prepareRun(config, store, { method, runId: newRunId(given), seed });
  }
  if (last.finishedAt !== null) return last;
  try {
    return await prepareRun(config, store, { method, runId: last.id, seed });
  } catch (error) {
    throw new CruxError('User.Config', `The last demo cannot go on: ${errorText(error)}`, {
      remedy: `\`${commandOf(given)} --fresh\` starts over.`,
      cause: error,
    });
  }
}

function commandOf({ env }: Given): string {
  return env === 'sql' ? 'crux demo' : `crux demo --env ${env}`;
}

/** Ends the workflows of a demo that will never be finished. */
async function abandon(options: GlobalOptions, store: Store, runId: string, given: Given): Promise<void> {
  const command = `${commandOf(given)} --fresh`;
  const temporal = await reachTemporal(options, null, 'start', command);
  try {
    const { client } = temporal;
    const open = client.workflow.list({ query: `CruxRun = '${runId}' AND ExecutionStatus = 'Running'` });
    for await (const { workflowId } of open) await client.workflow.getHandle(workflowId).terminate(command);
    await store.runs.finish(runId, 'cancelled');
  } finally {
    await temporal.close();
  }
}

async function stay(options: GlobalOptions): Promise<void> {
  const interrupted = Promise.withResolvers<void>();
  const { signal, release } = onInterrupt(() => interrupted.resolve());
  const temporal = await reachTemporal(options, null, 'start', 'crux demo --open-ui', { signal });
  try {
    say(options)(`Temporal UI: ${temporal.uiAddress}. Ctrl-C ends it.`);
    await interrupted.promise;
  } finally {
    await temporal.close();
    release();
  }
}

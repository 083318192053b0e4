/**
 * Runs a campaign twice: undisturbed, and with the same seed while its processes are killed, its disk is filled, its store locked and its
 * models cut off. Both must come to the same, and nothing may be paid twice but what was in flight when something was killed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokenEndings } from '../../src/domain/fault-ending.ts';
import type { FaultOptions } from '../../src/simulation/faults.ts';
import type { LatencyOptions } from '../../src/simulation/latency.ts';
import { type Lab, type LabRequest, until } from '../helpers/lab.ts';
import { makeSmallDisk } from '../helpers/small-disk.ts';
import { withLab } from '../helpers/with-lab.ts';
import {
  countRepeats,
  differences,
  halfWritten,
  notedCalls,
  type Outcome,
  outcomeWithExport,
  type Repeats,
} from './aftermath.ts';
import { Disturber } from './disturb.ts';
import { type Disturbance, type HowMany, makePlan } from './plan.ts';

export type ChaosOptions = {
  /** Of what is done and when, and of the injected faults. */
  seed: number;
  /** What is run, all at once. Of different environments, because equal requests of two runs cannot be told apart in the models' log. */
  runs: (LabRequest & { runId: string })[];
  workers: number;
  howMany: HowMany;
  /** How long the disk is full and the store locked or slow. */
  forMs: number;
  latency: LatencyOptions;
  faults: FaultOptions;
  /** How long one model call may take: what hangs is given up then. */
  callTimeoutMs: number;
  /** When a run that is not over counts as stuck. */
  giveUpAfterMs: number;
  report?: (line: string) => void;
};

export type ChaosResult = {
  /** What went wrong, in words; nothing when all is well. */
  problems: string[];
  tasks: number;
  pairs: number;
  carriedOut: HowMany;
  repeats: Repeats;
  /** Answers that were complete when the disk was full or the store locked, and were written afterwards. */
  waited: number;
  /** Requests by injected fault. */
  faults: { [fault: string]: number };
  undisturbedMs: number;
  disturbedMs: number;
};

type Results = { outcomes: Outcome[]; calls: number; tasks: number; pairs: number };

const exportNone: HowMany = {
  'kill-worker': 0,
  'kill-temporal': 0,
  'restart-models': 0,
  'fill-disk': 0,
  'lock-store': 0,
  'slow-store': 0,
  'kill-export': 0,
};
/** Room for the store of a campaign; the rest is filled. */
const diskMegabytes = 512;

export async function runInChaos(options: ChaosOptions): Promise<ChaosResult> {
  const report = options.report ?? (() => {});
  const folder = await mkdtemp(join(tmpdir(), 'crux-chaos-exports-'));
  try {
    const startedAt = Date.now();
    const undisturbed = await runUndisturbed(options, join(folder, 'undisturbed'));
    const undisturbedMs = Date.now() - startedAt;
    report(
      `undisturbed: ${undisturbed.calls} calls, ${undisturbed.pairs} pairs, ${Math.round(undisturbedMs / 1000)} s`,
    );
    return await runDisturbed(options, undisturbed, folder, undisturbedMs, report);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runUndisturbed({ runs, callTimeoutMs }: ChaosOptions, folder: string): Promise<Results> {
  return withLab({ sql: true, callTimeoutMs }, async (lab) => {
    await lab.work();
    const started = await Promise.all(runs.map((run) => lab.start(run)));
    const results = await Promise.all(started.map((run) => run.result()));
    return resultsOf(lab, runs, results, folder);
  });
}

async function runDisturbed(
  options: ChaosOptions,
  undisturbed: Results,
  folder: string,
  undisturbedMs: number,
  report: (line: string) => void,
): Promise<ChaosResult> {
  const { seed, runs, workers, howMany, forMs, latency, faults, callTimeoutMs, giveUpAfterMs } = options;
  const disk = makeSmallDisk(diskMegabytes);
  const plan = makePlan({ seed, workers, forMs, howMany: { ...howMany, ...(!disk.isOwn && { 'fill-disk': 0 }) } });
  const runIds = runs.map(({ runId }) => runId);
  const logFile = join(folder, 'requests.jsonl');
  const lab = { home: join(disk.folder, 'lab'), sql: true, latency, faults, callTimeoutMs, logFile };
  try {
    return await withLab(lab, async (lab, temporalHome) => {
      const exported = runs.filter(({ method }) => method !== 'evaluate').map(({ runId }) => runId);
      const disturber = new Disturber(lab, { temporalHome, disk, exportFolder: folder, runIds, exported, workers });
      const startedAt = Date.now();
      const started = await Promise.all(runs.map((run) => lab.start(run)));
      const over = Promise.all(started.map((run) => run.result()));
      over.catch(() => {});
      const problems: string[] = [];
      const carriedOut = { ...exportNone };
      const answered = async () =>
        (await Promise.all(runIds.map((runId) => lab.countAnswers(runId)))).reduce((sum, count) => sum + count, 0);
      for (const { share, disturbance } of plan) {
        await until(
          `${share} of the calls`,
          async () => (await answered()) >= share * undisturbed.calls,
          giveUpAfterMs,
        );
        report(`${seconds(startedAt)} ${Math.round(100 * share)} % answered: ${wordsOf(disturbance)}`);
        await disturber.carryOut(disturbance);
        carriedOut[disturbance.kind]++;
      }
      const results = await Promise.race([over, stuckAfter(giveUpAfterMs)]);
      const disturbedMs = Date.now() - startedAt;
      report(`${seconds(startedAt)} over`);
      if (results === null) {
        return {
          problems: [`the runs are not over after ${giveUpAfterMs / 1000} s`],
          ...nothing(undisturbed, carriedOut, undisturbedMs, disturbedMs),
        };
      }
      const disturbed = await resultsOf(lab, runs, results, join(folder, 'disturbed'));
      for (const [index, runId] of runIds.entries())
        problems.push(...differences(runId, undisturbed.outcomes[index]!, disturbed.outcomes[index]!));

      const repeats = countRepeats(await lab.requests(), await notedCalls(lab.store, runIds), disturber.kills);
      if (repeats.afterJournaled.length > 0)
        problems.push(
          `${repeats.afterJournaled.length} journaled calls were sent again: ${repeats.afterJournaled.slice(0, 5).join(', ')}`,
        );
      if (repeats.unexplained.length > 0)
        problems.push(
          `${repeats.unexplained.length} calls were sent again for no reason: ${repeats.unexplained.slice(0, 10).join('\n  ')}`,
        );
      problems.push(...disturber.exports.flatMap(halfWritten));
      problems.push(...(await leftOvers(lab, runIds)));
      const codes = await disturber.stopWorkers();
      if (codes.some((code) => code !== 0)) problems.push(`workers stopped with ${codes.join(', ')}`);
      await until('no process of a worker is left', () => disturber.orphans().length === 0, 15_000).catch(() =>
        problems.push(`processes ${disturber.orphans().map(({ pid }) => pid)} outlived their workers`),
      );
      return {
        problems,
        tasks: disturbed.tasks,
        pairs: disturbed.pairs,
        carriedOut,
        repeats,
        waited: disturber.waited.size,
        faults: countFaults(await lab.requests()),
        undisturbedMs,
        disturbedMs,
      };
    });
  } finally {
    disk.remove();
  }
}

async function resultsOf(
  lab: Lab,
  runs: ChaosOptions['runs'],
  results: { total: number; pairs: number }[],
  folder: string,
): Promise<Results> {
  const outcomes: Outcome[] = [];
  let calls = 0;
  for (const [index, { runId }] of runs.entries()) {
    outcomes.push(await outcomeWithExport(lab.store, runId, results[index], join(folder, runId)));
    calls += await lab.countAnswers(runId);
  }
  const sum = (what: 'total' | 'pairs') => results.reduce((total, result) => total + result[what], 0);
  return { outcomes, calls, tasks: sum('total'), pairs: sum('pairs') };
}

/** What should be gone when a run is over. */
async function leftOvers(lab: Lab, runIds: string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const runId of runIds) {
    const open = async () => {
      const query = `CruxRun = '${runId}' AND ExecutionStatus = 'Running'`;
      return (await lab.client.workflowService.countWorkflowExecutions({ namespace: 'default', query })).count;
    };
    await until('no workflow is open', async () => Number(await open()) === 0, 20_000).catch(async () =>
      problems.push(`${runId}: ${Number(await open())} workflows are still open`),
    );
    const { total, done } = await lab.store.runs.countTasks(runId);
    if (total !== done) problems.push(`${runId}: ${total - done} tasks are not done`);
    const broken = (await lab.store.findings.trajectories(runId)).filter(({ ending }) =>
      brokenEndings.includes(ending),
    );
    for (const { taskId, ending, details } of broken)
      problems.push(`${runId}: the trajectory of ${taskId} ended by a ${ending}: ${JSON.stringify(details)}`);
    const { state } = await lab.store.runs.get(runId);
    if (state !== 'finished') problems.push(`${runId}: its state is ${state}`);
  }
  return problems;
}

function countFaults(requests: { fault: string | null }[]): { [fault: string]: number } {
  const counts: { [fault: string]: number } = {};
  for (const { fault } of requests) if (fault !== null) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
}

function nothing({ tasks }: Results, carriedOut: HowMany, undisturbedMs: number, disturbedMs: number) {
  const repeats = {
    requests: 0,
    faulted: 0,
    afterJournaled: [],
    repeated: { fault: 0, kill: 0, 'time-limit': 0 },
    inFlightAtKills: 0,
    unexplained: [],
  };
  return { tasks, pairs: 0, carriedOut, repeats, waited: 0, faults: {}, undisturbedMs, disturbedMs };
}

function stuckAfter(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, ms, null).unref());
}

function seconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;
}

function wordsOf({ kind, ...more }: Disturbance): string {
  return [kind, ...Object.entries(more).map(([name, value]) => `${name} ${value}`)].join(', ');
}

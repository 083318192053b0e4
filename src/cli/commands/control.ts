/**
 * Steers a run or an improvement. If a worker has the campaign in progress, the campaign also gets the order, except a pause. What it derived from
 * earlier orders then does not outlast the control row.
 */

import { type CeilingChanges, retunedCeilings } from '../../domain/run/ceilings.ts';
import { askedModels } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import { checkCeilings } from '../../models/limits/ceiling-needs.ts';
import type { Log } from '../../observe/log.ts';
import { passOn, startedRun } from '../../start/connect.ts';
import { retuneImprovement } from '../../start/improvement-ceilings.ts';
import { launchImprovement } from '../../start/improvements.ts';
import { steerImprovement } from '../../start/steer-improvement.ts';
import { isOver, orderedStates, type RunOrder, serves, steerRun, told } from '../../start/steer-run.ts';
import type { Improvement } from '../../store/improvements.ts';
import type { Store } from '../../store/store.ts';
import type { TemporalConnection } from '../../temporal/connection.ts';
import { configIfValid, type GlobalOptions, homeOf, printResult, reachTemporal, withReadingStore } from '../setting.ts';
import { type CeilingOptions, ceilingsGiven, ceilingsText } from '../terminal/ceilings.ts';
import { printAside } from '../terminal/terminal.ts';

export async function control(options: GlobalOptions, runId: string, what: RunOrder): Promise<void> {
  const text = await withReadingStore(options, runId, async (store) => {
    const improvement = await store.improvements.find(runId);
    if (improvement !== null) return controlImprovement(options, store, improvement, what);
    const isServed = await steerRun(store, runId, what, (run, served) =>
      // A pause needs nothing more.
      what === 'pause'
        ? Promise.resolve(false)
        : tellCampaign(options, `crux ${what} ${runId}`, served, ({ client }) =>
            passOn(client, store, run, what, served),
          ),
    );
    return doneText(runId, what, isServed);
  });
  printResult(options, { runId, done: what }, () => text);
}

/** An improvement obeys its own control row, and its campaign in progress the campaign's. */
async function controlImprovement(
  options: GlobalOptions,
  store: Store,
  improvement: Improvement,
  what: RunOrder,
): Promise<string> {
  const { id } = improvement;
  const isServed = (await store.workers.living()).some(({ roles }) => roles.includes('workflow'));
  let isDone = false;
  // It is told first: what it still awaits when it is cancelled ends in good order.
  if (what !== 'pause' && isServed) {
    isDone = await tellCampaign(options, `crux ${what} ${id}`, isServed, async ({ client }) => {
      if (what === 'resume') await launchImprovement(client, store, await store.improvements.get(id));
      await startedRun(client, id)[what]();
    });
  }
  const hasEnded = !isDone && !(await steerImprovement({ store, client: null }, id, orderedStates[what]));
  // Also of one that is over: a first cancel may have been interrupted before it came to this.
  if (what === 'cancel') await releaseServers(options, store);
  if (hasEnded) {
    throw new CruxError('User.Config', `The improvement ${id} is over (${improvement.state}).`);
  }
  switch (what) {
    case 'pause':
      return `The improvement ${id} is paused: no new model call and no new phase begins. A training in progress goes on to its end.`;
    case 'cancel':
      return `The improvement ${id} is cancelled; what it found and trained so far is kept.`;
    case 'resume':
      return isServed
        ? `The improvement ${id} goes on.`
        : `The improvement ${id} may go on, but no worker lives. Start one with \`crux up\`, or give its own command again: crux improve --run-id ${id}`;
  }
}

/** Longer than a server takes to end; another command may be about to start one at its place. */
const longestReleaseMs = 60_000;

/** A worker that serves models ends the server of an improvement itself. */
async function releaseServers(options: GlobalOptions, store: Store): Promise<void> {
  if ((await store.workers.living()).some(({ roles }) => roles.includes('train'))) return;
  const { releaseLeft } = await import('../../training/servers/supervised.ts');
  await releaseLeft({ home: homeOf(options), store, log: warning }, AbortSignal.timeout(longestReleaseMs));
}

const warning: Log = (level, event, fields) => {
  if (level === 'warn') printAside(`Warning: ${event}: ${JSON.stringify(fields)}`);
};

function doneText(runId: string, what: RunOrder, isServed: boolean): string {
  switch (what) {
    case 'pause':
      return `Run ${runId} is paused: no new model call starts.`;
    case 'cancel':
      return `Run ${runId} is cancelled; its pairs so far are kept.`;
    case 'resume':
      return isServed
        ? `Run ${runId} goes on.`
        : `Run ${runId} may go on, but no worker lives. Start one with \`crux up\`, or give the run's own command again.`;
  }
}

export async function budget(options: GlobalOptions, runId: string, given: CeilingOptions): Promise<void> {
  const changes = ceilingsGiven(given);
  const { text, ceilings } = await withReadingStore(options, runId, async (store) => {
    if ((await store.improvements.find(runId)) !== null) return budgetOfImprovement(options, store, runId, changes);
    const run = await store.runs.get(runId);
    const retuned = retunedCeilings(run.ceilings, changes);
    checkCeilings(askedModels(run.config), retuned);
    if (run.state === 'cancelled') throw isOver(run);
    await store.runs.setControl(runId, { ceilings: retuned });
    const hasEnded = run.finishedAt !== null;
    const isServed = !hasEnded && (await serves(store, run));
    if (isServed)
      await tellCampaign(options, `crux budget ${runId}`, true, ({ client }) =>
        startedRun(client, runId).retune(changes),
      );
    const next = hasEnded
      ? ' They hold when it is started again (crux run … with its --run-id), and for its audit.'
      : '';
    return { text: `Run ${runId} has new ceilings: ${ceilingsText(retuned)}.${next}`, ceilings: retuned };
  });
  printResult(options, { runId, ceilings }, () => text);
}

async function budgetOfImprovement(options: GlobalOptions, store: Store, id: string, changes: CeilingChanges) {
  const ceilings = await retuneImprovement({ store, client: null }, id, changes);
  const running = (await store.runs.under(`${id}/`)).find(({ finishedAt }) => finishedAt === null);
  // The store has all of it; a worker at work hears of it sooner.
  if (running && (await serves(store, running)))
    await tellCampaign(options, `crux budget ${id}`, true, async ({ client }) => {
      await retuneImprovement({ store, client }, id, changes);
    });
  const { state } = await store.improvements.get(id);
  const next = state === 'budget' ? ` They hold when it goes on: crux resume ${id}, or its own command again.` : '';
  return { text: `The improvement ${id} has new ceilings: ${ceilingsText(ceilings)}.${next}`, ceilings };
}

/**
 * Sends an order to the run's campaign, if there is a server.
 * @param isServed whether a worker lives that answers
 * @returns whether it answered; the control row in the store holds either way
 * @throws CruxError `User.Config`
 */
async function tellCampaign(
  options: GlobalOptions,
  command: string,
  isServed: boolean,
  speak: (temporal: TemporalConnection) => Promise<void>,
): Promise<boolean> {
  let temporal: TemporalConnection;
  try {
    temporal = await reachTemporal(options, await configIfValid(options), 'visit', command);
  } catch (error) {
    if (error instanceof CruxError && error.kind === 'Temporal.Unavailable') return false;
    throw error;
  }
  try {
    return (await told(temporal.client, () => speak(temporal))) && isServed;
  } finally {
    await temporal.close();
  }
}

/** Slots: activities that play the tasks of a run whose method mines nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { shareOfSlots } from '../../domain/run/slots.ts';
import type { SlotInput, SlotResult } from '../../domain/wire/campaign.ts';
import { isCostly } from '../../environments/contract.ts';
import { CruxError } from '../../errors.ts';
import { inTrajectory } from '../../observe/current-place.ts';
import type { Run } from '../../store/runs.ts';
import { workflowIdOf } from '../acting/trajectory-id.ts';
import { branchActivities } from '../branches.ts';
import { campaignActivities } from '../campaign.ts';
import { exampleActivities } from '../examples.ts';
import { demonstrationActivities } from '../roles/demonstrations.ts';
import { beat, isCancelRequested, workerStopping } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { trajectoryActivities } from '../trajectory.ts';
import { playTask } from './play.ts';
import { Slot } from './slot.ts';

/** How often a slot looks whether it is to give way, unless its campaign says otherwise. */
const usualLookEveryMs = 10_000;
/** How soon a slot comes back that another worker should have, and how often it is left to others. */
const declinedMs = 1_000;
const mostDeclined = 5;

export function slotActivities(context: ActivityContext) {
  const { store, environments } = context;
  /** Slots that this worker plays, by run. */
  const atWork = new Map<string, Set<number>>();

  /** Plays tasks until none is left, or until the slot gives way. It never fails for one task. */
  async function playTasks(input: SlotInput, signal: AbortSignal): Promise<SlotResult> {
    const run = await store.runs.get(input.runId);
    const share = await shareOf(run, input);
    const own = atWork.get(run.id) ?? new Set();
    if (own.size >= share && Context.current().info.attempt <= mostDeclined) {
      const words = `This worker plays its share of the slots of run ${run.id}: another one is to take slot ${input.slot}.`;
      throw new CruxError('Run.Waiting', words, { retryAfterMs: declinedMs });
    }
    atWork.set(run.id, own.add(input.slot));
    try {
      return await playUntilOver(run, input, own, signal);
    } finally {
      own.delete(input.slot);
      if (own.size === 0) atWork.delete(run.id);
    }
  }

  async function playUntilOver(
    run: Run,
    input: SlotInput,
    own: ReadonlySet<number>,
    signal: AbortSignal,
  ): Promise<SlotResult> {
    const [closing, yielding, ending] = [new AbortController(), new AbortController(), new AbortController()];
    // A signal that fires has no activity around it.
    const activity = Context.current();
    let isCancelled = false;
    const giveWay = () => {
      closing.abort();
      // What holds an expensive session is played to its end.
      if (!isCostly(environments.get(run.environment))) yielding.abort();
    };
    const onAbort = async () => {
      // If the store cannot be read, the order is found at the next call.
      const control = isCancelRequested(activity) ? await store.runs.control(run.id).catch(() => null) : null;
      isCancelled = control?.state === 'cancelled';
      closing.abort();
      // Only the user's order ends calls. For a campaign that takes its slots back, or a worker that is taken for dead, calls that are paid come to their
      // end, and whoever takes up the tasks finds the answers.
      if (isCancelled) ending.abort(signal.reason);
      else yielding.abort();
    };
    signal.addEventListener('abort', () => void onAbort(), { once: true });
    if (signal.aborted) await onAbort();
    const stopping = AbortSignal.any([context.stopping, yielding.signal]);
    const explorer = { onStep: () => {}, isCancelled: () => isCancelled };
    // When its tasks are handed over, the slot decides, for all of them at once.
    const signals = { stopping, closing: AbortSignal.any([context.closing, closing.signal]) };
    const activities = playActivities({ ...context, ...signals, yieldAfterMs: Number.POSITIVE_INFINITY });
    const slot = new Slot(input, {
      runs: store.runs,
      play: (task) => {
        const address = { runId: run.id, position: task.position, method: run.config.method };
        return inTrajectory('trajectory', workflowIdOf(run, task), () =>
          playTask(address, { activities, signal: ending.signal, explorer }),
        );
      },
      lose: activities.loseTask,
      isCancelled: () => isCancelled,
      closing: signals.closing,
      yielding: AbortSignal.any([context.stopping, yielding.signal]),
      pause: (ms, until) => sleep(ms, undefined, { signal: until }).catch(() => {}),
    });
    const startedAt = performance.now();
    const looking = setInterval(async () => {
      beat(slot.progress);
      const share = await shareOf(run, input).catch(() => Number.POSITIVE_INFINITY);
      const isExcess = [...own].toSorted((one, other) => one - other).indexOf(input.slot) >= share;
      // The campaign gets its turn then, and whatever was decided about workers is decided anew.
      if (isExcess || performance.now() - startedAt > context.yieldAfterMs) giveWay();
    }, input.lookEveryMs ?? usualLookEveryMs);
    try {
      const result = await slot.work();
      if (context.stopping.aborted && result.left === 'more') throw workerStopping();
      return result;
    } finally {
      clearInterval(looking);
    }
  }

  /** How many slots of a run this worker plays when all that could play them get as many. */
  async function shareOf({ environment }: Run, { slots }: SlotInput): Promise<number> {
    const able = (await store.workers.living()).filter(
      ({ roles, environments: known }) => roles.includes('agent') && known.includes(environment),
    );
    return shareOfSlots(slots, able.length);
  }

  return { playTasks };
}

function playActivities(context: ActivityContext) {
  const { openTask } = trajectoryActivities(context);
  const { rollOut } = branchActivities(context);
  const { demonstrate } = demonstrationActivities(context);
  const { keepExamples } = exampleActivities(context);
  const { loseTask } = campaignActivities(context);
  return { openTask, rollOut, demonstrate, keepExamples, loseTask };
}

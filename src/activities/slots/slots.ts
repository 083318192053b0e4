/** Slots: activities that play the tasks of a run whose method mines nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { askedEndpoints } from '../../domain/run/run-config.ts';
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
import { beat, workerStopping } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { trajectoryActivities } from '../trajectory.ts';
import { EndOfSlot } from './end-of-slot.ts';
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
  async function playTasks(input: SlotInput): Promise<SlotResult> {
    const run = await store.runs.get(input.runId);
    const share = await shareOf(run, input);
    const own = atWork.get(run.id) ?? new Set();
    if (own.size >= share && Context.current().info.attempt <= mostDeclined) {
      const words = `This worker plays its share of the slots of run ${run.id}: another one is to take slot ${input.slot}.`;
      throw new CruxError('Run.Waiting', words, { retryAfterMs: declinedMs });
    }
    atWork.set(run.id, own.add(input.slot));
    try {
      return await playUntilOver(run, input, own);
    } finally {
      own.delete(input.slot);
      if (own.size === 0) atWork.delete(run.id);
    }
  }

  async function playUntilOver(run: Run, input: SlotInput, own: ReadonlySet<number>): Promise<SlotResult> {
    const end = new EndOfSlot({ isCostly: isCostly(environments.get(run.environment)) });
    await end.follow(Context.current(), async () => (await store.runs.control(run.id)).state === 'cancelled');
    // When its tasks are handed over, the slot decides, for all of them at once.
    const signals = {
      closing: AbortSignal.any([context.closing, end.closing]),
      stopping: AbortSignal.any([context.stopping, end.yielding]),
    };
    const activities = playActivities({ ...context, ...signals, yieldAfterMs: Number.POSITIVE_INFINITY });
    const explorer = { onStep: () => {}, isCancelled: () => end.isCancelled };
    const slot = new Slot(input, {
      runs: store.runs,
      play: (task) => {
        const address = { runId: run.id, position: task.position, method: run.config.method };
        return inTrajectory('trajectory', workflowIdOf(run, task), () =>
          playTask(address, { activities, signal: end.ending, explorer }),
        );
      },
      lose: activities.loseTask,
      isCancelled: () => end.isCancelled,
      closing: signals.closing,
      yielding: signals.stopping,
      pause: (ms, until) => sleep(ms, undefined, { signal: until }).catch(() => {}),
    });
    const startedAt = performance.now();
    const looking = setInterval(async () => {
      beat(slot.progress);
      const share = await shareOf(run, input).catch(() => Number.POSITIVE_INFINITY);
      const isExcess = [...own].toSorted((one, other) => one - other).indexOf(input.slot) >= share;
      // The campaign gets its turn then, and whatever was decided about workers is decided anew.
      if (isExcess || performance.now() - startedAt > context.yieldAfterMs) end.giveWay();
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
  async function shareOf({ environment, config }: Run, { slots }: SlotInput): Promise<number> {
    const needed = askedEndpoints(config);
    const able = (await store.workers.living()).filter(
      ({ roles, environments: known, endpoints }) =>
        roles.includes('agent') && known.includes(environment) && needed.every((name) => endpoints.includes(name)),
    );
    return shareOfSlots(slots, able.length);
  }

  return { playTasks };
}

function playActivities(context: ActivityContext) {
  const { openTask } = trajectoryActivities(context);
  const { rollOut, rollOutAll } = branchActivities(context);
  const { demonstrate } = demonstrationActivities(context);
  const { keepExamples } = exampleActivities(context);
  const { loseTask } = campaignActivities(context);
  return { openTask, rollOut, rollOutAll, demonstrate, keepExamples, loseTask };
}

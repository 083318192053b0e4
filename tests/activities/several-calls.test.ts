// Layer: activities in MockActivityEnvironment with a real store. Messages with several calls, wherever what they do is looked at, counted or compared.
import { describe, expect, it } from 'vitest';
import { candidateOf } from '../../src/activities/acting/candidates.ts';
import { reachAll } from '../../src/activities/acting/sameness.ts';
import type { Message } from '../../src/domain/message.ts';
import { anchoredSteps } from '../../src/environments/anchored-steps.ts';
import { canonicalActions } from '../../src/environments/canonical-action.ts';
import { environmentSteps } from '../../src/store/environment-steps.ts';
import { isIntact, Tree } from '../../src/store/tree.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { turnsAfter } from '../../src/views/turns.ts';
import { type DoorsOptions, doors, go } from './doors.ts';
import { begun, calling, type Said } from './saying.ts';

const conversation: Message[] = [{ role: 'user', content: 'Summary: go on.' }];
/** The door `summary` puts a new conversation in place of the old one. */
const summarising: DoorsOptions = {
  step: (way) => (way.at(-1) === 'summary' ? { observation: { conversation }, done: false } : undefined),
};

type Place = Awaited<ReturnType<typeof begun>>;

async function candidateIn(place: Place, calls: Said) {
  const root = await place.store.tree.state(place.rootId);
  const written = { run: place.run, source: 'expert', model: 'm', position: 0 } as const;
  return { root, candidate: candidateOf(place.context, root, calling(1, calls), written) };
}

describe('a call after one that ends its message', () => {
  it.each<[string, Said]>([
    [
      'by a new conversation',
      [
        ['go', 'summary'],
        ['go', 'treasure'],
      ],
    ],
    [
      'by the end of the task',
      [
        ['go', 'pit'],
        ['go', 'treasure'],
      ],
    ],
  ])('%s is not taken to see where the message leads', async (_how, calls) => {
    const place = await begun({ doors: summarising, config: { sameBy: 'state' } });
    const { root, candidate } = await candidateIn(place, calls);
    const [compared] = await reachAll(place.context, place.run, root, [candidate], new AbortController().signal);
    expect(place.seen.stepped).toBe(1);
    expect(compared!.reached).toMatchObject(calls[0]![1] === 'pit' ? { done: true, reward: 0 } : { done: false });
    expect(await place.store.tree.taken(root.stateKey, candidate.actions)).toHaveLength(1);
    // Nor is it counted where the message was looked at.
    await place.store.findings.addCandidates([candidate]);
    const step = { runId: 'run-1', trajectoryId: 't', step: 1, nodeId: root.id, verdict: 'critical', ruledOut: {} };
    await place.store.findings.addStep({ ...step, lookedAt: [candidate.id] });
    expect(await environmentSteps(place.store.database, place.run, true)).toMatchObject({ demand: 1, fresh: 1 });
  });
});

describe('a message that was over before its last call', () => {
  it('is for anchor the action that was executed: trajectories are compared by nothing else', async () => {
    const place = await begun();
    const { state } = await place.call(['go', 'pit'], ['go', 'treasure']);
    const path = await place.store.tree.path(state.id);
    const [step] = await anchoredSteps(place.seen.environment, place.store.tree, path);
    const written = { run: place.run, source: 'policy', model: 'm', position: -1, executed: state.executed } as const;
    const candidate = candidateOf(place.context, path[0]!, state.assistant!, written);
    expect(candidate).toMatchObject({ actions: [go('pit')], canonical: step!.equality });
  });
});

describe('the figures of a run', () => {
  it('count each call that was drawn as a step of the environment', async () => {
    const place = await begun({ doors: summarising });
    const { root, candidate } = await candidateIn(place, [
      ['go', 'left'],
      ['go', 'up'],
      ['go', 'summary'],
      ['go', 'up'],
    ]);
    await place.store.findings.addCandidates([candidate]);
    await reachAll(place.context, place.run, root, [candidate], new AbortController().signal);
    await place.store.findings.addTrajectory({
      ...{ runId: 'run-1', id: 't', taskId: 'task-1', sample: 0, origin: 'policy', model: 'm', rootId: root.id },
      ...{ leafId: root.id, steps: 1, environmentSteps: 3, ending: 'step-limit', reward: 0, success: false },
      ...{ confirmed: null, auditFlags: null, details: null },
    });
    const drawing = { ...place.run, method: 'rro' as const };
    expect(await environmentSteps(place.store.database, drawing, true)).toMatchObject({ demand: 3, fresh: 3 });
  });

  it('count malformed messages, however many calls the others held', async () => {
    const place = await begun();
    await place.call(['go', 'left'], ['go', 'up'], ['go', 'up']);
    await place.say({ role: 'assistant', content: 'I call nothing.' });
    const { state } = await place.call(['jump', 'left'], ['go', 'pit']);
    await place.perform(place.activities.recordTrajectory, {
      ...{ runId: 'run-1', position: 0, leafId: state.id, ending: 'submitted', reward: 0, success: false, fault: null },
    });
    expect((await runSummary(place.store, 'run-1')).malformed).toEqual({ count: 1, of: 3 });
  });
});

describe('tools of a state', () => {
  it('are those of another state by content, also if the states were read at different times', async () => {
    const place = await begun();
    const root = await place.store.tree.state(place.rootId);
    await place.call(['go', 'left']);
    const { state } = await place.call(['go', 'up']);
    const [readAgain, parentAgain] = await Promise.all(
      [root.id, state.parentId!].map((id) => new Tree(place.store.database).state(id)),
    );
    expect((await turnsAfter(place.store, readAgain!, state.id)).change).toBeNull();
    expect(isIntact(state, parentAgain!)).toBe(true);
  });
});

describe('the text of several actions', () => {
  it('is never that of one', () => {
    const environment = { ...doors().environment, canonicalAction: ({ tool }: { tool: string }) => tool };
    const [one, two] = ['a', 'b'].map((tool) => ({ ...go('x'), tool }));
    expect(canonicalActions(environment, [one!, two!])).not.toBe(
      canonicalActions(environment, [{ ...one!, tool: 'a\nb' }]),
    );
    expect(canonicalActions(environment, [one!])).toBe('a');
    expect(canonicalActions(environment, [])).toBeNull();
  });
});

// Layer: by what anchor takes two steps for steps of one state, in an environment of doors.
import { describe, expect, it } from 'vitest';
import { actionsOf } from '../../src/domain/action.ts';
import type { StateMark } from '../../src/domain/pairs/sameness.ts';
import { anchoredSteps, anchorOf } from '../../src/environments/anchored-steps.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import type { State, Tree } from '../../src/store/tree.ts';
import { type DoorsOptions, doors, goText } from '../activities/doors.ts';

const format = agentFormat(doors().environment, 'react');

/** A path through doors: every state is named by the way there, and its room is that of the last door. */
function path(...texts: string[]): State[] {
  return ['', ...texts].map((text, index) => {
    const way = texts.slice(0, index).join(' / ');
    const executed = actionsOf(format.parse({ role: 'assistant', content: text }));
    return { id: way, stateKey: text, executed } as unknown as State;
  });
}

/** States are equal after the same door, whatever came before. */
const rooms = {
  transition: async (key: string) =>
    key === '' ? null : { mark: { hash: key.toLowerCase(), by: 'environment', changed: true } satisfies StateMark },
} as unknown as Tree;

const anchors = async (states: State[], options: DoorsOptions = {}) =>
  (await anchoredSteps(doors(options).environment, rooms, states)).map(({ anchor }) => anchor);

describe('steps start in one state', () => {
  it('where the actions before them are equal, in whatever words', async () => {
    const [one, other] = await Promise.all([
      anchors(path(goText('left', 'I think so.'), goText('up'))),
      anchors(path(goText('LEFT'), goText('down'))),
    ]);
    expect(one).toEqual(other);
    expect(new Set(one).size).toBe(2);
  });

  it('only after equal results too, where results may differ', async () => {
    const heard = (words: string) =>
      path(goText('left'), goText('up')).map(
        (state) => ({ ...state, added: [{}, { role: 'user', content: words }] }) as State,
      );
    const recorded = { capabilities: { replay: 'recorded' as const } };
    const [one, equal, other] = await Promise.all(
      ['Yes.', 'Yes.', 'No.'].map((words) => anchors(heard(words), recorded)),
    );
    expect(equal).toEqual(one);
    expect(other![0]).toBe(one![0]);
    expect(other![1]).not.toBe(one![1]);
  });

  it('not after other actions, though they lead to an equal state', async () => {
    const [one, other] = await Promise.all([
      anchors(path(goText('left'), goText('up'), goText('on'))),
      anchors(path(goText('right'), goText('up'), goText('on'))),
    ]);
    expect(one.at(-1)).not.toBe(other.at(-1));
  });

  it('after any actions that lead to an equal state, where the environment says that the state holds all', async () => {
    const all = { stateHoldsAll: true };
    const [one, other] = await Promise.all([
      anchors(path(goText('left'), goText('up'), goText('on')), all),
      anchors(path(goText('up'), goText('on')), all),
    ]);
    expect(one.at(-1)).toBe(other.at(-1));
    expect(one.at(-1)).not.toBe(one.at(-2));
  });

  it('a message without an action is a step that nobody prefers', async () => {
    const steps = await anchoredSteps(doors().environment, rooms, path('Hm.', goText('left')));
    expect(steps.map(({ equality }) => equality)).toEqual([null, 'go left']);
  });

  it('the anchor of a state is that of the step taken in it', async () => {
    const states = path(goText('left'), goText('up'));
    const { environment } = doors();
    expect(await anchorOf(environment, rooms, states.slice(0, 2))).toBe((await anchors(states))[1]);
  });
});

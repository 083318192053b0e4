// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { describe, expect, it } from 'vitest';
import { go, goText } from '../doors.ts';
import { explored, type Workplace, type WorkplaceOptions, workplace } from '../workplace.ts';

async function proposedAt(step: number, options: WorkplaceOptions, said = ['left', 'pit']) {
  const place = await workplace(options);
  const { id, states } = await explored(place, said);
  const address = { runId: 'run-1', trajectoryId: id, step };
  const result = await place.perform(place.activities.proposeAlternatives, address);
  const candidates = await place.store.findings.candidatesOf('run-1', states[step - 1]!.id);
  const doorsOf = candidates.map(({ actions: [action] }) => action?.arguments.door ?? null);
  return { place, address, states, result, candidates, doorsOf };
}

const sampleOf = (place: Workplace) => place.asked('test-expert').length;

describe('alternatives', () => {
  it('are what an expert would do in the state, in the order of drawing, beside what the policy did', async () => {
    const proposals = ['right', 'up', 'down'];
    const { place, result, candidates, doorsOf } = await proposedAt(2, {
      models: { expert: (number) => goText(proposals[number]!) },
    });
    expect(result).toEqual({ alternatives: 3, equalToPolicy: 0, duplicates: 0, unreadable: 0 });
    expect(doorsOf[0]).toBe('pit');
    expect(doorsOf.slice(1).sort()).toEqual(['down', 'right', 'up']);
    expect(candidates.map(({ position, source, model }) => [position, source, model])).toEqual([
      [-1, 'policy', 'test-model'],
      [0, 'expert', 'test-expert'],
      [1, 'expert', 'test-expert'],
      [2, 'expert', 'test-expert'],
    ]);
    // The same conversation as the policy's, with guidance that only the expert sees.
    const [system, ...conversation] = place.asked('test-expert')[0]!.body.messages;
    expect(system!.content).toContain('<guidance>');
    expect(conversation.map(({ content }) => content).join('\n')).toContain('A room behind left.');
    expect(conversation.map(({ content }) => content).join('\n')).not.toContain('guidance');
  });

  it('equal to what the policy did are dropped, and equal ones are kept once', async () => {
    const proposals = ['PIT', 'right', 'Right', 'up', 'pit'];
    const { result, doorsOf } = await proposedAt(2, {
      options: { alternatives: 5 },
      models: { expert: (number) => goText(proposals[number]!, `Thought number ${number}.`) },
    });
    expect(result).toEqual({ alternatives: 2, equalToPolicy: 2, duplicates: 1, unreadable: 0 });
    expect(doorsOf.length).toBe(3);
  });

  it('do not depend on the order in which answers arrive', async () => {
    // The content goes by the request, the time by chance.
    const run = async (late: boolean) => {
      const wait = () => new Promise((resolve) => setTimeout(resolve, late ? Math.random() * 40 : 0));
      const { candidates } = await proposedAt(1, {
        options: { alternatives: 8 },
        models: { expert: (_, { seed }) => ({ content: goText(`door-${seed % 3}`, `Seed ${seed}.`), after: wait() }) },
      });
      return candidates.map(({ id, position }) => [id, position]);
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('that cannot be read are asked for anew, at most three times', async () => {
    const { place, result } = await proposedAt(1, {
      options: { alternatives: 1 },
      models: { expert: () => 'I am not sure.' },
    });
    expect(result).toEqual({ alternatives: 0, equalToPolicy: 0, duplicates: 0, unreadable: 1 });
    expect(sampleOf(place)).toBe(3);
    expect(new Set(place.asked('test-expert').map(({ key }) => key)).size).toBe(3);
    const second = await proposedAt(1, {
      options: { alternatives: 1 },
      models: { expert: (number) => (number < 2 ? 'Hm.' : goText('right')) },
    });
    expect(second.result).toMatchObject({ alternatives: 1, unreadable: 0 });
  });

  it('are written in the form of the policy, whatever the habits of the expert', async () => {
    const written =
      'Certainly!\n\nThought:   Right it is.\n\nAction: go\n\nAction Input: {\n  "door": "right"\n}\nObservation: gold';
    const { candidates } = await proposedAt(1, { options: { alternatives: 1 }, models: { expert: () => written } });
    expect(candidates[1]!.message).toEqual({ role: 'assistant', content: goText('right', 'Right it is.') });
  });

  it('exist beside a malformed action of the policy too', async () => {
    const { result, candidates } = await proposedAt(
      1,
      { options: { alternatives: 1 }, models: { expert: () => goText('right') } },
      ['I do not know.', 'pit'],
    );
    expect(result.alternatives).toBe(1);
    expect(candidates[0]).toMatchObject({ position: -1, actions: [], canonical: null });
  });

  it('are not paid again by a second attempt', async () => {
    const { place, address, result, candidates } = await proposedAt(1, {
      models: { expert: (number) => goText(`door-${number}`) },
    });
    expect(await place.perform(place.activities.proposeAlternatives, address)).toEqual(result);
    expect(sampleOf(place)).toBe(3);
    expect(await place.store.findings.candidatesOf('run-1', candidates[0]!.nodeId)).toEqual(candidates);
  });

  it.each([
    ['expert/policy', ['expert']],
    ['expert/expert', ['expert']],
    ['policy/policy', ['policy']],
    ['policy/expert', ['policy', 'expert']],
  ] as const)('for pairs of %s come from %j', async (pairSources, sources) => {
    const { candidates } = await proposedAt(1, {
      options: { alternatives: 2, pairSources },
      models: { expert: (number) => goText(`expert-${number}`), policy: (_, number) => goText(`policy-${number}`) },
    });
    const proposed = candidates.filter(({ position }) => position >= 0);
    expect([...new Set(proposed.map(({ source }) => source))]).toEqual(sources);
    expect(proposed.length).toBe(2 * sources.length);
  });

  it('of the environment with hints are told them, in the expert’s prompt alone', async () => {
    const hints = async () => 'Red doors are dangerous.';
    const { place } = await proposedAt(1, {
      options: { alternatives: 1, expertHints: true },
      doors: { hints },
      models: { expert: () => goText('right') },
    });
    expect(place.asked('test-expert')[0]!.body.messages[0]!.content).toContain('Red doors are dangerous.');
    const without = await proposedAt(1, {
      options: { alternatives: 1 },
      doors: { hints },
      models: { expert: () => goText('right') },
    });
    expect(JSON.stringify(without.place.asked('test-expert'))).not.toContain('Red doors');
  });

  it('of odd text are stored as any database takes them', async () => {
    const odd = `Thought: x\nAction: go\nAction Input: {"door":"a\\u0000b\\ud800"}`;
    const { candidates } = await proposedAt(1, { options: { alternatives: 1 }, models: { expert: () => odd } });
    expect(candidates[1]!.actions).toEqual([go('a\u0000b\ud800')]);
    expect(candidates[1]!.canonical).toBe('go a\ufffdb\ufffd');
  });
});

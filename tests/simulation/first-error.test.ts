// Layer: pure core, and simulated models in process.
import { describe, expect, test } from 'vitest';
import { readFirstError } from '../../src/models/answers/first-error.ts';
import { firstErrorRequest } from '../../src/models/prompts.ts';
import { answer } from '../../src/simulation/answer.ts';
import { likeliestFirstError } from '../../src/simulation/first-error.ts';
import { type MazeRoom, mazeWorld } from '../../src/simulation/maze-world.ts';
import { noisyEvidence } from '../../src/simulation/noisy-score.ts';

describe('the likeliest first wrong step', () => {
  // z of good steps is around d/2, of bad ones around −d/2; at an AUC of 0.85 d is about 1.6.
  test.each([
    [[2, 2, -2, 2], 3],
    // Two bad steps: the first of them.
    [[2, -2, 2, -2], 2],
    // A step that looks a little bad before one that looks very bad.
    [[2, -0.1, 2, -3], 4],
    [[2, 2, 2], null],
    [[-2], 1],
  ])('of evidence %j is %s', (evidence, step) => {
    expect(likeliestFirstError(evidence, 0.85)).toBe(step);
  });

  /** Share of 400 trajectories of six steps, the k-th one bad and those after it in turn, whose first wrong step is named. */
  const hits = (auc: number, name: typeof likeliestFirstError) => {
    const trajectories = Array.from({ length: 400 }, (_, index) => {
      const first = index % 6;
      const evidence = Array.from({ length: 6 }, (_step, step) =>
        noisyEvidence({
          good: step !== first && (step < first || step % 2 === 0),
          auc,
          seed: 3,
          task: `task ${index}`,
          state: `state ${step}`,
          action: `action ${step}`,
          call: [index, step],
        }),
      );
      return name(evidence, auc) === first + 1;
    });
    return trajectories.filter(Boolean).length / trajectories.length;
  };

  test('is named the more often the higher the AUC is, and by luck alone at one half', () => {
    const shares = [0.5, 0.7, 0.85, 0.95, 0.99].map((auc) => hits(auc, likeliestFirstError));
    console.info(`first wrong step named, of six: ${shares.map((share) => share.toFixed(2)).join(', ')}`);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares[0]).toBeLessThan(0.25);
    expect(shares.at(-1)).toBeGreaterThan(0.8);
  });

  test('is right more often than the first step that looks bad', () => {
    const firstBelow: typeof likeliestFirstError = (evidence) => evidence.findIndex((z) => z < 0) + 1 || null;
    expect(hits(0.85, likeliestFirstError)).toBeGreaterThan(hits(0.85, firstBelow));
  });
});

describe('the simulated judge', () => {
  const room = (name: string, kind: string, ...targets: string[]): MazeRoom => ({
    name,
    pattern: name,
    kind,
    doors: targets.map((to) => ({ label: to, to })),
  });
  /** start → hall → goal or pit; start → den → pit: the door to the den is the only error. */
  const maze = {
    id: 'judged',
    start: 'start',
    rooms: new Map(
      [
        room('start', 'decision', 'hall', 'den'),
        room('hall', 'decision', 'goal', 'pit'),
        room('den', 'decision', 'pit', 'cave'),
        room('cave', 'decision', 'pit', 'hole'),
        room('goal', 'goal'),
        room('pit', 'pit'),
        room('hole', 'pit'),
      ].map((one) => [one.name, one]),
    ),
  };
  const opening = [
    { role: 'system' as const, content: 'Action Input: …' },
    { role: 'user' as const, content: 'Maze: judged\nYou are in start. Doors: hall, den.' },
  ];
  const go = (door: string, observation: string) => [
    { role: 'assistant' as const, content: `Thought: Go.\nAction: go\nAction Input: {"door":"${door}"}` },
    { role: 'user' as const, content: `Observation: ${observation}` },
  ];
  const steps = [go('den', 'You are in den. Doors: pit, cave.'), go('cave', 'You are in cave. Doors: pit, hole.')];

  const named = (model: string, seed: number, judged = steps) => {
    const { messages } = firstErrorRequest(
      opening,
      [],
      judged.map((messages) => ({ messages })),
    );
    const request = { model, messages, tools: false, n: 1, temperature: 1, maxTokens: null, logprobs: false, seed: 1 };
    return readFirstError(
      answer(request, seed, [mazeWorld([maze])]).choices[0]!.message.content!,
      judged.length,
      'first-error-1',
    );
  };

  test('names the step that lost the maze, and no other, if it is good', () => {
    const all = Array.from({ length: 20 }, (_, seed) => named('sim-prm@auc=0.99', seed));
    expect(all.filter((step) => step === 1).length).toBeGreaterThan(16);
  });

  test('gives the same answer to the same question', () => {
    expect(named('sim-prm', 1)).toBe(named('sim-prm', 1));
  });

  test('refuses steps that do not begin with what the agent did', () => {
    const odd = [[{ role: 'user' as const, content: 'You are in den.' }]];
    expect(() => named('sim-prm', 1, odd)).toThrow(/no request for a first wrong step/);
  });
});

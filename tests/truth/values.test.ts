// Layer: truth. Monte Carlo values through the whole engine but Temporal: real primitives, activities, store, journal and gateway, and
// simulated models over HTTP, in mazes whose values are known exactly. Seeds fixed. The stated error rate is how often a correct
// implementation would fail if the seeds were drawn anew.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { value } from '../../src/domain/methods/value.ts';
import { seededRandom } from '../../src/domain/statistics/random.ts';
import { exactValues, mazePolicy } from '../../src/simulation/maze-world.ts';
import { createMazes, type Maze, type Room } from '../../src/simulation/mazes.ts';
import { type Engine, runId, startEngine } from './engine.ts';
import { standardErrorsFrom } from './estimates.ts';
import { risingOf } from './in-process.ts';
import { truthSeed } from './seed.ts';

const serverSeed = seededRandom(truthSeed('server')).below(2 ** 31);
const skill = 0.5;
/** m */
const rollouts = 5;

/** An estimate by m rollouts, and the truth about it. */
type Valued = { value: number; truth: number };

/** A maze in which every way leads through the hall; from there luck decides. */
function corridor(number: number): Maze {
  const doors = (...targets: string[]) =>
    targets.map((to, index) => ({ label: ['amber', 'black', 'blue', 'brass', 'green', 'grey'][index]!, to }));
  const [goal, pit] = ['treasure chamber', 'pit'];
  const rooms: Room[] = [
    { name: 'the lobby', pattern: 'lobby', kind: 'tied', doors: doors('the hall') },
    { name: 'the hall', pattern: 'hall', kind: 'threshold', doors: doors(goal, pit, goal, pit, pit, goal) },
    { name: goal, pattern: 'goal', kind: 'goal', doors: [] },
    { name: pit, pattern: 'pit', kind: 'pit', doors: [] },
  ];
  return { id: `corridor-${number}`, start: 'the lobby', rooms: new Map(rooms.map((room) => [room.name, room])) };
}

describe('Monte Carlo values', () => {
  const corridors = Array.from({ length: 240 }, (_, number) => corridor(number));
  const mazes = createMazes({ seed: 12, count: 60, tiedShare: 0, depth: 3 });
  let engine: Engine;
  let ofHalls: { first: Valued; again: Valued }[];
  let ofMazes: { state: Valued; action: Valued }[];

  beforeAll(async () => {
    engine = await startEngine([...corridors, ...mazes], serverSeed, skill);
    ofHalls = [];
    for (const maze of corridors) ofHalls.push(await hallTwice(engine, maze));
    ofMazes = [];
    for (const maze of mazes) ofMazes.push(await stateAndAction(engine, maze));
  });

  afterAll(() => engine.close());

  // 3 standard errors: 0.27 % each.
  it('are unbiased, where all rollouts pass through one state and where they part', () => {
    expect(bias(ofHalls.map(({ first }) => first))).toBeLessThan(3);
    expect(bias(ofMazes.flatMap(({ state, action }) => [state, action]))).toBeLessThan(3);
  });

  // Errors of the actions' values, weighed by how much better the action is than its state: 0 on average, and 4.8 standard errors below if the
  // state's own value were taken for the action's. 3 standard errors: 0.27 %.
  it('are those of the action, where it is better or worse than its state', () => {
    const gains = ofMazes.map(({ state, action }) => action.truth - state.truth);
    expect(
      bias(
        ofMazes.map(({ action }) => action),
        gains,
      ),
    ).toBeLessThan(3);
  });

  // Mean of the squared deviations in units of their variance: 1 for independent rollouts, 1.4 if two of five shared their answers, 5 if all
  // did. 3 standard errors, known from the fourth moment of a binomial: 0.27 %.
  it('vary as the mean of independent draws does, though all rollouts pass through one state', () => {
    const squares = ofHalls.map(({ first }) => deviation(first) ** 2);
    const variance = ofHalls.reduce((sum, { first: { truth } }) => sum + 2 + excessKurtosis(truth) / rollouts, 0);
    const standardError = Math.sqrt(variance) / squares.length;
    expect(standardErrorsFrom(1, { value: mean(squares), standardError })).toBeLessThan(3);
    expect(0.4 / standardError).toBeGreaterThan(4);
  });

  // Product of the two deviations in units of their variance: mean 0 and variance 1. 3 standard errors: 0.27 %.
  it('owe nothing to those of the same action that were estimated before', () => {
    const products = ofHalls.map(({ first, again }) => deviation(first) * deviation(again));
    expect(Math.abs(mean(products)) * Math.sqrt(products.length)).toBeLessThan(3);
  });
});

/** The value of the step into the hall, and the same estimated again. */
async function hallTwice(engine: Engine, maze: Maze): Promise<{ first: Valued; again: Valued }> {
  const truth = exactValues(maze, mazePolicy(maze, serverSeed, skill)).get('the hall')!;
  const { task, rootId } = await engine.open(maze);
  const rising = risingOf(task);
  const start = { nodeId: rootId, step: 1, value: undefined };
  const action = await rising.draw(start, 0);
  const first = await value(rising, start, action, 'value');
  const again = await value(rising, start, action, 're-estimate');
  return { first: { value: first!, truth }, again: { value: again!, truth } };
}

/** The values of a maze's first state and of an action in it. */
async function stateAndAction(engine: Engine, maze: Maze): Promise<{ state: Valued; action: Valued }> {
  const truths = exactValues(maze, mazePolicy(maze, serverSeed, skill));
  const { task, rootId } = await engine.open(maze);
  const rising = risingOf(task);
  const start = { nodeId: rootId, step: 1, value: undefined };
  const action = await rising.draw(start, 0);
  const { canonical } = await engine.store.findings.candidate(runId, action.candidateId);
  const door = maze.rooms.get(maze.start)!.doors.find(({ label }) => canonical === `go ${label}`)!;
  return {
    state: { value: (await value(rising, start, null, 'value'))!, truth: truths.get(maze.start)! },
    action: { value: (await value(rising, start, action, 'value'))!, truth: truths.get(door.to)! },
  };
}

/** How far a sum of values is from that of their truths, in standard errors. @param weights of the values; default: all alike */
function bias(valued: readonly Valued[], weights: readonly number[] = valued.map(() => 1)): number {
  const sum = (term: (one: Valued) => number, power: number) =>
    valued.reduce((total, one, index) => total + weights[index]! ** power * term(one), 0);
  const off = sum(({ value, truth }) => value - truth, 1);
  return Math.abs(off) / Math.sqrt(sum(({ truth }) => (truth * (1 - truth)) / rollouts, 2));
}

/** In standard deviations of the mean of m independent rollouts. */
function deviation({ value, truth }: Valued): number {
  return (value - truth) / Math.sqrt((truth * (1 - truth)) / rollouts);
}

/** Of one rollout. */
function excessKurtosis(chance: number): number {
  const variance = chance * (1 - chance);
  return (1 - 6 * variance) / variance;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

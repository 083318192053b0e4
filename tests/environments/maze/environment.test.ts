// Layer: the example environment against the contract, in process.

import { expect, test } from 'vitest';
import type { Action } from '../../../src/domain/action.ts';
import { observationText } from '../../../src/domain/observation.ts';
import { mazeEnvironment } from '../../../src/simulation/maze-environment.ts';
import { createMazes } from '../../../src/simulation/mazes.ts';

const mazes = createMazes({ seed: 1, count: 2 });
const environment = mazeEnvironment(mazes);
const [task] = await environment.tasks();
const { signal } = new AbortController();
const go = (door: string): Action => ({ tool: 'go', arguments: { door } });
const firstDoors = mazes[0]!.rooms.get(mazes[0]!.start)!.doors.map((door) => door.label);

test('the same actions give the same observations in another session', async () => {
  const sessions = [await environment.open(task!), await environment.open(task!)];
  let doors = firstDoors;
  for (let step = 1; step <= 5; step++) {
    const [a, b] = await Promise.all(sessions.map((session) => session.step(go(doors[0]!), signal)));
    expect(b).toEqual(a);
    doors = /Doors: (.*)\./.exec(observationText(a!.observation))?.[1]?.split(', ') ?? [];
    expect(a!.done).toBe(step === 5);
  }
});

test('a snapshot opens the state in which it was taken', async () => {
  const session = await environment.open(task!);
  await session.step(go(firstDoors[1]!), signal);
  const restored = await environment.open(task!, await session.snapshot!());
  const unknown = go('no such door');
  expect(await restored.step(unknown, signal)).toEqual(await session.step(unknown, signal));
});

test('an unknown door costs a step and leaves the agent where it is', async () => {
  const session = await environment.open(task!);
  const { user } = await environment.briefing(task!);
  const result = await session.step(go('no such door'), signal);
  expect(result.done).toBe(false);
  expect(result.observation).toContain(user.split('\n')[1]);
});

test('a door written in another way is the same action', () => {
  expect(environment.canonicalAction!(go(' RED '))).toBe(environment.canonicalAction!(go('red')));
});

test('an unknown task is refused', async () => {
  await expect(environment.open({ ...task!, id: 'maze-none' })).rejects.toThrow(RangeError);
});

// Layer: simulated models against the example's environment, in process.
import { describe, expect, test } from 'vitest';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { exactValues, mazePolicy, mazeWorld, type SimulatedMaze } from '../../src/simulation/maze-world.ts';
import { createMazes, type Maze } from '../../src/simulation/mazes.ts';
import { play } from './play.ts';

const doors = (...targets: string[]) => targets.map((to, index) => ({ label: `door ${index}`, to }));
/** start → (left: ½ goal, ½ pit | goal | pit), by hand: left 0.5, start 0.5 · 0.5 + 0.25 · 1 + 0.25 · 0 = 0.5. */
const byHand: SimulatedMaze = {
  id: 'by-hand',
  start: 'start',
  rooms: new Map([
    ['start', { name: 'start', pattern: 'a', kind: 'decision', doors: doors('left', 'goal', 'pit') }],
    ['left', { name: 'left', pattern: 'b', kind: 'threshold', doors: doors('goal', 'pit') }],
    ['goal', { name: 'goal', pattern: 'goal', kind: 'goal', doors: [] }],
    ['pit', { name: 'pit', pattern: 'pit', kind: 'pit', doors: [] }],
  ]),
};

describe('exactValues', () => {
  test('agrees with a maze computed by hand', () => {
    const values = exactValues(byHand, (room) => (room.name === 'start' ? [0.5, 0.25, 0.25] : [0.5, 0.5]));
    expect(Object.fromEntries(values)).toEqual({ start: 0.5, left: 0.5, goal: 1, pit: 0 });
  });

  test('refuses a maze with a cycle', () => {
    const rooms = new Map(byHand.rooms).set('left', {
      name: 'left',
      pattern: 'b',
      kind: 'threshold',
      doors: doors('start', 'pit'),
    });
    expect(() => exactValues({ ...byHand, rooms }, (room) => room.doors.map(() => 1 / room.doors.length))).toThrow(
      /cycle/,
    );
  });

  test('gives each state the mean over its doors', () => {
    for (const maze of createMazes({ seed: 4, count: 5, tiedShare: 0.5 })) {
      const policy = mazePolicy(maze, 9, 0.5);
      const values = exactValues(maze, policy);
      for (const room of maze.rooms.values()) {
        if (room.doors.length === 0) continue;
        const mean = policy(room).reduce((sum, share, index) => sum + share * values.get(room.doors[index]!.to)!, 0);
        expect(values.get(room.name)).toBeCloseTo(mean, 12);
      }
    }
  });
});

describe('tied actions', () => {
  test.each([0, 0.5, 0.8, 0.95, 1])('are the stated share %f of the decision steps of any path', (tiedShare) => {
    const mazes = createMazes({ seed: 3, count: 50, tiedShare });
    let tied = 0;
    let steps = 0;
    for (const maze of mazes) {
      let room = maze.rooms.get(maze.start)!;
      while (room.kind === 'tied' || room.kind === 'decision') {
        steps++;
        if (room.kind === 'tied') tied++;
        room = maze.rooms.get(room.doors[steps % room.doors.length]!.to)!;
      }
    }
    expect(steps).toBe(200);
    expect(tied / steps).toBeCloseTo(tiedShare, 10);
  });

  test('have equal values to the last bit, and others do not', () => {
    for (const maze of createMazes({ seed: 3, count: 20, tiedShare: 0.5 })) {
      const values = exactValues(maze, mazePolicy(maze, 1, 0.5));
      for (const room of maze.rooms.values()) {
        const worths = new Set(room.doors.map((door) => values.get(door.to)));
        if (room.kind === 'tied') expect(worths.size).toBe(1);
        if (room.kind === 'decision') expect(worths.size).toBeGreaterThan(1);
        expect(new Set(room.doors.map((door) => door.label)).size).toBe(room.doors.length);
      }
    }
  });

  test('lead to different rooms, so that their observations differ', () => {
    const [maze] = createMazes({ seed: 3, count: 1, tiedShare: 1 });
    const start = maze!.rooms.get(maze!.start)!;
    expect(new Set(start.doors.map((door) => door.to)).size).toBe(3);
  });
});

describe('simulated maze agents', () => {
  const serverSeed = 6;

  async function rate(maze: Maze, model: string, rounds: number, format: 'tools' | 'react'): Promise<number> {
    const environment = mazeEnvironment([maze]);
    const [task] = await environment.tasks();
    let successes = 0;
    for (let seed = 0; seed < rounds; seed++) {
      const played = await play({ environment, worlds: [mazeWorld([maze])], serverSeed, format }, model, task!, seed);
      successes += played.success ? 1 : 0;
    }
    return successes / rounds;
  }

  test.each(['tools', 'react'] as const)('reach the goal as often as the exact value says, with %s', async (format) => {
    for (const maze of createMazes({ seed: 8, count: 4, tiedShare: 0.5 })) {
      for (const skill of [0.5, 0.7]) {
        const value = exactValues(maze, mazePolicy(maze, serverSeed, skill)).get(maze.start)!;
        const measured = await rate(maze, `sim-policy@skill=${skill}`, 400, format);
        expect(Math.abs(measured - value)).toBeLessThan(4 * Math.sqrt((value * (1 - value)) / 400));
      }
    }
  });

  test('take the best door always at skill 1 and the worst at skill 0', async () => {
    const [maze] = createMazes({ seed: 8, count: 1 });
    expect(await rate(maze!, 'sim-policy@skill=1', 20, 'tools')).toBe(1);
    expect(await rate(maze!, 'sim-policy@skill=0', 20, 'tools')).toBe(0);
  });

  test('are judged by the exact value: a door is good when it is worth at least its room', () => {
    const [maze] = createMazes({ seed: 8, count: 1, tiedShare: 0.5 });
    const world = mazeWorld([maze!]);
    const values = exactValues(maze!, mazePolicy(maze!, serverSeed, 0.5));
    for (const room of maze!.rooms.values()) {
      if (room.doors.length === 0) continue;
      const scene = world.match(
        [{ role: 'user', content: `Maze: ${maze!.id}\nYou are in ${room.name}. Doors: any.` }],
        false,
      )!;
      for (const door of room.doors) {
        const message = scene.write({ thought: 'Go.', action: { tool: 'go', arguments: { door: door.label } } });
        expect(scene.judge(message, serverSeed).good).toBe(values.get(door.to)! >= values.get(room.name)! - 1e-9);
      }
      expect(scene.judge({ role: 'assistant', content: 'Hm.' }, serverSeed).good).toBe(false);
    }
  });
});

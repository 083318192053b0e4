/** As many small mazes as CRUX_BENCH_TASKS says (10,000), each of CRUX_BENCH_DEPTH decision steps (1), made when needed: their own memory does not count. */

import type { Environment } from '../../src/environments/contract.ts';
import { mazeEnvironment } from '../../src/simulation/maze-environment.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes, type Maze } from '../../src/simulation/mazes.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

const count = Number(process.env.CRUX_BENCH_TASKS ?? 10_000);
const depth = Number(process.env.CRUX_BENCH_DEPTH ?? 1);
const kept = 500;

const mazeOf = remember((seed: number): Maze => createMazes({ seed, count: 1, depth })[0]!);
const environmentOf = remember((seed: number) => mazeEnvironment([mazeOf(seed)]));
const worldOf = remember((seed: number) => mazeWorld([mazeOf(seed)]));
const seedOf = (mazeId: string) => Number(/^maze-(\d+)-0$/.exec(mazeId)?.[1]);

export const environments: Environment[] = [
  {
    ...environmentOf(1),
    name: 'many-mazes',
    stepLimit: depth + 10,
    // A session is a few words: with fewer than trajectories in progress, nearly every step would rebuild its own.
    capabilities: { ...environmentOf(1).capabilities, maxSessions: 2_000 },
    tasks: async () =>
      Array.from({ length: count }, (_, index) => {
        const id = `maze-${index + 1}-0`;
        return { id, split: 'train' as const, group: id, title: `Find the treasure of ${id}`, difficulty: null };
      }),
    briefing: (task) => environmentOf(seedOf(task.id)).briefing(task),
    open: (task, snapshot) => environmentOf(seedOf(task.id)).open(task, snapshot),
  },
];

export const worlds: SimulatedWorld[] = [
  {
    name: 'many-mazes',
    match: (messages, tools) => {
      const id = messages.map((message) => /^Maze:[ \t]*(\S+)/m.exec(message.content ?? '')?.[1]).find(Boolean) ?? '';
      const seed = seedOf(id);
      return Number.isNaN(seed) ? null : worldOf(seed).match(messages, tools);
    },
  },
];

function remember<T>(make: (seed: number) => T): (seed: number) => T {
  const made = new Map<number, T>();
  return (seed) => {
    const found = made.get(seed) ?? make(seed);
    if (made.size >= kept) made.clear();
    made.set(seed, found);
    return found;
  };
}

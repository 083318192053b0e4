/** The environment of the mazes: find the treasure by choosing doors. Written as a user would write it. */
import type { Session } from '../environments/contract.ts';
import { defineEnvironment } from '../environments/define.ts';
import type { Maze, Room } from './mazes.ts';

export function mazeEnvironment(mazes: readonly Maze[]) {
  const byId = new Map(mazes.map((maze) => [maze.id, maze]));
  const find = (id: string) => {
    const maze = byId.get(id);
    if (!maze) throw new RangeError(`There is no maze "${id}".`);
    return maze;
  };
  return defineEnvironment({
    name: 'maze',
    version: '1',
    stepLimit: 12,
    tools: [
      {
        type: 'function',
        function: {
          name: 'go',
          description: 'Go through a door of the room that you are in.',
          parameters: {
            type: 'object',
            properties: { door: { type: 'string' } },
            required: ['door'],
            additionalProperties: false,
          },
        },
      },
    ],
    tasks: async () =>
      mazes.map((maze, index) => ({
        id: maze.id,
        split: index % 5 === 4 ? 'test' : 'train',
        group: maze.id,
        title: `Find the treasure of ${maze.id}`,
        difficulty: null,
      })),
    briefing: async (task) => ({
      system:
        'You are in a maze of rooms. One door leads to the next room, and there is no way back. Find the treasure, not the pit.',
      user: `Maze: ${task.id}\n${describe(startOf(find(task.id)))}`,
    }),
    open: async (task, snapshot) => openSession(find(task.id), typeof snapshot === 'string' ? snapshot : null),
    canonicalAction: (action) =>
      `${action.tool} ${String(action.arguments.door ?? '')
        .trim()
        .toLowerCase()}`,
  });
}

function openSession(maze: Maze, snapshot: string | null): Session<string> {
  let room = snapshot === null ? startOf(maze) : maze.rooms.get(snapshot)!;
  return {
    async step(action) {
      const label = String(action.arguments.door ?? '')
        .trim()
        .toLowerCase();
      const door = room.doors.find((candidate) => candidate.label === label);
      if (!door) return { observation: `There is no such door here. ${describe(room)}`, done: false };
      room = maze.rooms.get(door.to)!;
      if (room.kind === 'goal') return { observation: 'You found the treasure.', done: true, reward: 1, success: true };
      if (room.kind === 'pit') return { observation: 'You fell into a pit.', done: true, reward: 0, success: false };
      return { observation: describe(room), done: false };
    },
    snapshot: async () => room.name,
  };
}

function startOf(maze: Maze): Room {
  return maze.rooms.get(maze.start)!;
}

function describe(room: Room): string {
  const labels = room.doors.map((door) => door.label).sort();
  return `You are in ${room.name}. Doors: ${labels.join(', ')}.`;
}

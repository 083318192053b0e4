/**
 * Mazes whose true action values can be computed. Each has `depth` decision steps and then a threshold room, whose doors lead to the treasure or into
 * a pit.
 *
 * A room has a hidden column from 0 (worst) to 4 (best). In a threshold room of column c, c + 1 of the 6 doors lead to the treasure. In a decision
 * room that is not tied, one door keeps the column, one raises it and one lowers it. In a tied room all doors lead to different rooms of the same
 * column. These have equal values under any policy that treats twins alike, so whatever looks better there is luck. Every path meets each layer of
 * rooms once, so the share of tied layers is the share of tied decision steps.
 */
import crypto from 'node:crypto';

export type Room = {
  name: string;
  /** Equal for twins: rooms of one maze that differ only in their name. */
  pattern: string;
  doors: { label: string; to: string }[];
  /** The type of the room; `goal` and `pit` have no doors. */
  kind: 'tied' | 'decision' | 'threshold' | 'goal' | 'pit';
};

export type Maze = { id: string; start: string; rooms: Map<string, Room> };

export type MazeOptions = {
  seed: number;
  count: number;
  /** Share of decision steps at which all actions have the same value, in [0, 1]. Default 0. */
  tiedShare?: number;
  /** Decision steps before the threshold. Default 4. */
  depth?: number;
};

const columns = 5;
const twins = 3;
const thresholdDoors = 6;
const colours = [
  'amber',
  'black',
  'blue',
  'brass',
  'green',
  'grey',
  'ivory',
  'oak',
  'red',
  'silver',
  'white',
  'yellow',
];

export function createMazes({ seed, count, tiedShare = 0, depth = 4 }: MazeOptions): Maze[] {
  const layers = Array.from(
    { length: count * depth },
    (_, index) => `${Math.floor(index / depth)}/${(index % depth) + 1}`,
  );
  const tied = new Set(shuffled(layers, seed, 'tied').slice(0, Math.round(tiedShare * layers.length)));
  return Array.from({ length: count }, (_, number) => {
    const isTied = (layer: number) => tied.has(`${number}/${layer}`);
    return createMaze(`maze-${seed}-${number}`, depth, isTied);
  });
}

function createMaze(id: string, depth: number, isTied: (layer: number) => boolean): Maze {
  const names = shuffled(
    Array.from({ length: columns * twins * (depth + 1) }, (_, index) => `room ${index + 1}`),
    id,
    'names',
  );
  const name = (layer: number, column: number, twin: number) => names[((layer - 1) * columns + column) * twins + twin]!;
  const rooms = new Map<string, Room>();
  const add = (kind: Room['kind'], room: string, pattern: string, targets: string[]) => {
    let doors: Room['doors'] | undefined;
    rooms.set(room, {
      name: room,
      pattern,
      kind,
      // Few rooms of a maze are ever entered, and shuffling takes a hash for each label.
      get doors() {
        if (doors !== undefined) return doors;
        const labels = shuffled(colours, id, room);
        doors = targets.map((to, index) => ({ label: labels[index]!, to }));
        return doors;
      },
    });
  };
  for (let layer = 1; layer <= depth + 1; layer++) {
    for (let column = 0; column < columns; column++) {
      for (let twin = 0; twin < twins; twin++) {
        const pattern = `${layer}/${column}`;
        if (layer > depth) {
          const exits = Array.from({ length: thresholdDoors }, (_, index) =>
            index <= column ? 'treasure chamber' : 'pit',
          );
          add('threshold', name(layer, column, twin), pattern, exits);
        } else {
          const moves = isTied(layer) ? [0, 0, 0] : [0, 1, -1];
          const targets = moves.map((move, index) =>
            name(layer + 1, Math.max(0, Math.min(columns - 1, column + move)), index),
          );
          add(isTied(layer) ? 'tied' : 'decision', name(layer, column, twin), pattern, targets);
        }
      }
    }
  }
  add('goal', 'treasure chamber', 'goal', []);
  add('pit', 'pit', 'pit', []);
  return { id, start: name(1, Math.floor(columns / 2), 0), rooms };
}

function shuffled<T>(values: readonly T[], ...parts: (string | number)[]): T[] {
  const order = values.map((value, index) => ({ value, rank: crypto.hash('sha256', [...parts, index].join('\n')) }));
  return order.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ value }) => value);
}

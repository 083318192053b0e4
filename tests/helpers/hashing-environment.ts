/** Shelves whose tool answers "ok" whatever it puts there: an environment that other processes can load. */
import { defineEnvironment } from '../../src/environments/define.ts';

function shelves(hash: (things: string[]) => string) {
  return defineEnvironment({
    name: 'shelves',
    version: '1',
    tools: [
      {
        type: 'function',
        function: {
          name: 'put',
          description: 'Puts a thing on the shelf.',
          parameters: { type: 'object', properties: { thing: { type: 'string' } } },
        },
      },
    ],
    tasks: async () => [{ id: 'task-1', split: 'train', group: 'g', title: 'Tidy up', difficulty: null }],
    briefing: async () => ({ system: 'Tidy up.', user: 'Things: cup, jug, book.' }),
    open: async () => {
      const things: string[] = [];
      return {
        step: async ({ arguments: { thing } }) => {
          things.push(String(thing));
          return { observation: 'ok', done: false };
        },
        stateHash: async () => hash(things),
      };
    },
  });
}

export default shelves((things) => things.join('/'));

/** A hash with what no other process has. */
export const ownToProcess = shelves((things) => `${process.pid}/${things.join('/')}`);

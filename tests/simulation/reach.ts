import type { EnvironmentDefinition } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';

/**
 * Reach a number from 1 by `change` (add 1, double) and submit it. Its scripts double and add along the bits of the number; task `odd` has none. A
 * change that is wrong cannot be undone.
 */
export function reach(changes: Partial<EnvironmentDefinition> = {}) {
  const step = (how: 'add' | 'double') => ({ thought: `I ${how}.`, action: { tool: 'change', arguments: { how } } });
  return defineEnvironment({
    name: 'reach',
    version: '1',
    tools: [
      {
        type: 'function',
        function: {
          name: 'change',
          description: 'Changes the number.',
          parameters: { type: 'object', properties: { how: { enum: ['add', 'double'] } }, required: ['how'] },
        },
      },
      {
        type: 'function',
        function: { name: 'submit', description: 'Ends the task.', parameters: { type: 'object', properties: {} } },
      },
    ],
    tasks: async () =>
      ['5', '6', '7', 'odd'].map((id) => ({ id, split: 'train', group: id, title: `Reach ${id}`, difficulty: null })),
    briefing: async ({ id }) => ({ system: 'You change a number, and start from 1.', user: `Reach ${id}.` }),
    open: async ({ id }) => {
      let number = 1;
      return {
        async step({ tool, arguments: { how } }) {
          const success = String(number) === id;
          if (tool === 'submit') return { observation: 'Over.', done: true, reward: Number(success), success };
          number = how === 'double' ? number * 2 : number + 1;
          return { observation: `The number is ${number}.`, done: false };
        },
      };
    },
    script: async ({ id }) => {
      if (id === 'odd') return null;
      const bits = [...Number(id).toString(2).slice(1)];
      const changed = bits.flatMap((bit) => (bit === '1' ? [step('double'), step('add')] : [step('double')]));
      return [...changed, { thought: 'That is it.', action: { tool: 'submit', arguments: {} } }];
    },
    ...changes,
  });
}

/**
 * The folder of `examples/files` as a stage for `DirectLab`. `files` has the simulated models that `crux serve-sim --env` makes of it; in `slips`
 * models write the same in two ways.
 */
import files from '../../../examples/files/environment.ts';
import type { Action } from '../../../src/domain/action.ts';
import type { Environment } from '../../../src/environments/contract.ts';
import { functionWorld } from '../../../src/simulation/function-world.ts';
import { scriptedWorld } from '../../../src/simulation/scripted-world.ts';

const [task] = await files.tasks();
const right = (await files.script!(task!))!.find(({ action }) => action.tool === 'write')!.action;

/** Its first step always goes wrong. */
const slips: Environment = {
  ...files,
  name: 'slips',
  tasks: async () => [task!],
  briefing: async () => ({ system: 'You work on files.', user: 'Add up.' }),
};

const write = (name: string): Action => ({ tool: 'write', arguments: { name, text: '0' } });
const submit: Action = { tool: 'submit', arguments: {} };

const slipping = functionWorld({
  name: 'slips',
  knows: (messages) => messages.some(({ role, content }) => role === 'user' && content === 'Add up.'),
  policy: ({ turns }) => ({ action: turns.length > 0 ? submit : write('sum.txt') }),
  // One file by its other name.
  expert: ({ random }) => ({ action: random() < 0.5 ? write('./sum.txt') : right }),
  prm: (_conversation, action) => (action?.arguments.name === 'sum.txt' && action.arguments.text === '0' ? 0.1 : 0.9),
});

export const environments = [files, slips];

export const worlds = [slipping, await scriptedWorld(files, { mistakes: 0.5 })];

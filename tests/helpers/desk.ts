/**
 * A help desk, whose customer and grader are models: a stage for labs. The agent asks the customer for the code, and submits it. A simulated customer
 * tells it to who asks for it.
 */

import type { AskRequest } from '../../src/domain/ask.ts';
import { messageText } from '../../src/domain/message.ts';
import { observationText } from '../../src/domain/observation.ts';
import type { EnvironmentDefinition, ScriptedStep } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { scriptedWorld } from '../../src/simulation/scripted-world.ts';

const tool = (name: string, description: string, parameter: string) => ({
  type: 'function' as const,
  function: {
    name,
    description,
    parameters: { type: 'object', properties: { [parameter]: { type: 'string' } }, required: [parameter] },
  },
});

const codes = ['AX7', 'BY3', 'CZ9', 'DW1', 'EV4', 'FU8'];

/** Answers as customer and as grader. */
export function simulatedReply({ purpose, messages }: AskRequest): string {
  const text = messages.map(messageText).join('\n');
  if (purpose === 'user') return /which code/i.test(text) ? /code is \w+/.exec(text)![0] : 'What do you mean?';
  const [, right, given] = /The code is (\w*). The agent says (\w*)/.exec(text) ?? [];
  return right === given ? 'yes' : 'no';
}

export function desk(changes: Partial<EnvironmentDefinition> = {}) {
  return defineEnvironment({
    name: 'desk',
    version: '1',
    stepLimit: 4,
    asks: ['user', 'grade'],
    simulatedReply,
    capabilities: { replay: 'recorded' },
    tools: [tool('say', 'Says something to the customer.', 'text'), tool('submit', 'Submits the code.', 'code')],
    tasks: async () =>
      codes.map((code) => ({ id: code, split: 'train', group: code, title: `Find out ${code}`, difficulty: null })),
    briefing: async ({ id }) => ({
      system: 'You work at a help desk.',
      user: `Find out the code of customer ${codes.indexOf(id) + 1}.`,
    }),
    open: async ({ id }) => ({
      async step({ tool: name, arguments: { text, code } }, _signal, { ask }) {
        if (name === 'say') {
          const persona = { role: 'system' as const, content: `You are a customer. Your code is ${id}.` };
          const words = await ask({ purpose: 'user', messages: [persona, { role: 'user', content: String(text) }] });
          return { observation: words, done: false };
        }
        const content = `The code is ${id}. The agent says ${String(code)}. Is it right? Answer yes or no.`;
        const grade = await ask({ purpose: 'grade', messages: [{ role: 'user', content }], temperature: 0 });
        return { observation: 'Thank you.', done: true, reward: grade === 'yes' ? 1 : 0 };
      },
    }),
    script: async ({ id }): Promise<ScriptedStep[]> => [
      { thought: 'I need the code.', action: { tool: 'say', arguments: { text: 'Which code do you have?' } } },
      { thought: 'That is it.', action: { tool: 'submit', arguments: { code: id } } },
    ],
    ...changes,
  });
}

/** A desk at which the customer speaks first, and whose session remembers every word. */
const greeted = desk({
  name: 'greeted-desk',
  open: async (task, snapshot, context) => {
    const session = await desk().open(task, snapshot, context);
    const words = [await context.ask({ purpose: 'user', messages: [{ role: 'user', content: 'Good morning.' }] })];
    return {
      ...session,
      async step(action, signal, within) {
        const result = await session.step(action, signal, within);
        words.push(observationText(result.observation));
        return result;
      },
      recall: async (_action, { observation }) => {
        words.push(observationText(observation));
      },
      stateHash: async () => words.join('\n'),
    };
  },
});

/** Its customer speaks first, so there is no state before a session has asked. */
const opening = desk({
  name: 'opening-desk',
  briefing: undefined,
  open: async (task, snapshot, context) => {
    const session = await desk().open(task, snapshot, context);
    const customer = { role: 'user' as const, content: `Greet the agent as customer ${codes.indexOf(task.id) + 1}.` };
    const words = await context.ask({ purpose: 'user', messages: [customer] });
    return { ...session, opening: [{ role: 'user', content: `Customer ${codes.indexOf(task.id) + 1}: ${words}` }] };
  },
});

export const environments = [desk(), greeted, opening];
export const worlds = [await scriptedWorld(desk()), await scriptedWorld(opening)];

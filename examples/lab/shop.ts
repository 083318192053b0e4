/**
 * A shop in six steps: pick, size, wrap, send, pay, tell. What is right at a step depends on one thing about the customer (rules.ts). Nothing tells
 * the agent whether a choice was right: the order is worth 1 if all six were, else 0.
 *
 *     npx crux check-env examples/lab/shop.ts
 */
import { defineEnvironment, type ScriptedStep, type Task } from 'crux-rl';
import { allOrders, type Order, rightChoice, type StepName, stepNames, steps } from './rules.ts';
import { briefing, command, instructions, question, system } from './words.ts';

const orders = new Map(allOrders().map((order) => [order.id, order]));

type Chosen = { [step in StepName]?: string };

export default defineEnvironment({
  name: 'lab-shop',
  version: '1',
  stepLimit: 6,
  tools: stepNames.map(tool),
  textFormat: {
    instructions,
    observationPrefix: '',
    // A model made for this form ends its commands by itself.
    stop: [],
    parse(text) {
      const lines = text.trim().split('\n');
      const [name = '', choice, ...rest] = lines.pop()!.trim().split(' ');
      if (!isStep(name) || choice === undefined || rest.length > 0)
        return { kind: 'malformed', hint: 'That is no command .' };
      return { kind: 'action', thought: lines.join('\n').trim(), action: { tool: name, arguments: { choice } } };
    },
    render(thought, { tool: name, arguments: { choice } }) {
      const line = command(name, String(choice));
      return thought.trim() === '' ? line : `${thought.trim()}\n${line}`;
    },
  },
  tasks: async () => [...orders.values()].map(taskOf),
  briefing: async (task) => ({ system, user: briefing(orderOf(task)) }),
  script: async (task) => scriptOf(orderOf(task)),
  open: async (task) => {
    const order = orderOf(task);
    const chosen: Chosen = {};
    return {
      async step({ tool: name, arguments: { choice } }) {
        const asked = nextStep(chosen)!;
        // A command without effect would be a second try, and lead to success by luck.
        if (name !== asked || !(steps[asked] as readonly unknown[]).includes(choice))
          return { observation: 'That was not asked .', done: true, reward: 0 };
        chosen[asked] = String(choice);
        const next = nextStep(chosen);
        if (next === null) return { observation: 'Done .', done: true, reward: isRight(order, chosen) ? 1 : 0 };
        return { observation: question(order, next), done: false };
      },
      // No observation shows what was chosen.
      stateHash: async () => stepNames.map((step) => chosen[step] ?? '-').join(' '),
    };
  },
});

function tool(step: StepName) {
  const properties = { choice: { type: 'string', enum: [...steps[step]] } };
  const parameters = { type: 'object', properties, required: ['choice'], additionalProperties: false };
  return { type: 'function' as const, function: { name: step, description: `Chooses how to ${step}.`, parameters } };
}

function isStep(name: string): name is StepName {
  return name in steps;
}

function orderOf({ id }: Task): Order {
  return orders.get(id)!;
}

function taskOf({ id, group, isTest }: Order): Task {
  return { id, split: isTest ? 'test' : 'train', group, title: id.replace('-', ' '), difficulty: null };
}

function nextStep(chosen: Chosen): StepName | null {
  return stepNames.find((step) => chosen[step] === undefined) ?? null;
}

function isRight(order: Order, chosen: Chosen): boolean {
  return stepNames.every((step) => chosen[step] === rightChoice(order, step));
}

function scriptOf(order: Order): ScriptedStep[] {
  return stepNames.map((step) => ({
    thought: '',
    action: { tool: step, arguments: { choice: rightChoice(order, step) } },
  }));
}

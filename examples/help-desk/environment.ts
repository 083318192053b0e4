/**
 * A help desk. The agent helps a customer, whom a model plays; another model grades how the customer was told. Whether the money is right, a
 * program checks. To look up an order costs money.
 *
 *     npx crux check-env examples/help-desk/environment.ts
 */
import { createHash } from 'node:crypto';
import { type Action, defineEnvironment, type ScriptedStep } from 'crux-rl';
import { asCustomer, isWellTold, type Line, simulatedReply } from './models.ts';
import { caseOf, cases, decision, due, lookUp, lookUpCost, refund, resolution, rule } from './shop.ts';

function tool(name: string, description: string, properties: { [name: string]: { type: string; enum?: string[] } }) {
  const parameters = { type: 'object', properties, required: Object.keys(properties) };
  return { type: 'function' as const, function: { name, description, parameters } };
}

export default defineEnvironment({
  name: 'help-desk',
  version: '1',
  stepLimit: 8,
  // A customer may say something else the next time: what was recorded counts.
  capabilities: { replay: 'recorded' },
  asks: ['user', 'grade'],
  simulatedReply,
  maxStepCost: lookUpCost,
  verifier: { money: 'exact', told: 'grade-1' },
  tools: [
    tool('look_up', 'Says what was ordered, its price, and when it was delivered.', { order: { type: 'string' } }),
    tool('refund', 'Pays money back, in USD.', { order: { type: 'string' }, amount: { type: 'number' } }),
    tool('reply', 'Writes to the customer, who answers.', { text: { type: 'string' } }),
    tool('close', 'Ends the case.', { resolution: { type: 'string', enum: ['refunded', 'refused'] } }),
  ],
  tasks: async () =>
    cases.map(({ order, item, complaint }) => {
      const split = item === 'toaster' ? 'test' : 'train';
      return { id: order, split, group: item, title: complaint, difficulty: null };
    }),
  briefing: async ({ id }) => ({
    system: `You work at the help desk of a shop. ${rule} Tell the customer what you decided, then close the case.`,
    user: caseOf(id)!.complaint,
  }),
  hints: async () =>
    'Only the customer knows the order number. Look the order up first: money that is paid stays paid.',
  gold: async ({ id }) => decision(caseOf(id)!),
  script: async ({ id }) => scriptOf(id),

  open: async ({ id }) => {
    const given = caseOf(id)!;
    const refunds = new Map<string, number>();
    const said: Line[] = [];
    const isMoneyRight = () => (refunds.get(id) ?? 0) === due(given) && refunds.size === (due(given) > 0 ? 1 : 0);
    const hear = (text: string, answer: string) => said.push({ who: 'Agent', text }, { who: 'Customer', text: answer });

    return {
      async step({ tool, arguments: { order, amount, text, resolution: closedAs } }, _signal, { ask }) {
        const going = { done: false, cost: 0 };
        switch (tool) {
          case 'look_up':
            return { ...going, observation: lookUp(order), cost: lookUpCost };
          case 'refund':
            return { ...going, observation: refund(refunds, order, amount) };
          case 'reply': {
            if (typeof text !== 'string') return { ...going, observation: 'A reply needs a text.' };
            const answer = await ask({
              purpose: 'user',
              messages: asCustomer(given, [...said, { who: 'Agent', text }]),
            });
            hear(text, answer);
            return { ...going, observation: { result: 'sent', messages: [{ role: 'user', content: answer }] } };
          }
          case 'close': {
            // No grade is paid for if the program knows that the case was decided wrongly.
            const isRight = isMoneyRight() && closedAs === resolution(given);
            const reward = isRight ? ((await isWellTold(ask, given, said)) ? 1 : 0.5) : 0;
            const details = { refunds: Object.fromEntries(refunds) };
            return { observation: 'closed', done: true, cost: 0, reward, details };
          }
          default:
            return { ...going, observation: `There is no tool ${tool}.` };
        }
      },
      // The step is not taken again: the session notes what it changed, and what the customer said then.
      async recall({ tool, arguments: { order, amount, text } }, { observation }) {
        if (tool === 'refund') refund(refunds, order, amount);
        if (typeof observation === 'object' && 'messages' in observation)
          hear(String(text), observation.messages[0]!.content);
      },
      async stateHash() {
        const state = JSON.stringify([[...refunds].toSorted(), said]);
        return createHash('sha256').update(state).digest('hex');
      },
      // At the step limit the money may be right, but the case is still open.
      outcome: async () => ({ reward: due(given) > 0 && isMoneyRight() ? 0.25 : 0 }),
    };
  },
});

/** How a good agent handles a case: for simulated models, `check-env`, and expert trajectories that cost nothing. */
function scriptOf(id: string): ScriptedStep[] {
  const given = caseOf(id)!;
  const step = (thought: string, tool: string, args: Action['arguments']) => ({
    thought,
    action: { tool, arguments: args },
  });
  return [
    step('I need the order number.', 'reply', { text: 'I am sorry to hear that. What is your order number?' }),
    step('When was it delivered?', 'look_up', { order: id }),
    ...(due(given) > 0 ? [step('It is within 30 days.', 'refund', { order: id, amount: due(given) })] : []),
    step('The customer must know.', 'reply', { text: `For order ${id} there is ${decision(given)}.` }),
    step('All is done.', 'close', { resolution: resolution(given) }),
  ];
}

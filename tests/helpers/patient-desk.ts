/**
 * The help desk, with a grader that is asked at the step limit too: a stage for labs. It praises who has heard the code. The policy never says
 * anything that the desk understands, and so never leaves a state; the expert asks for the code and submits it.
 */
import type { Action } from '../../src/domain/action.ts';
import { observationText } from '../../src/domain/observation.ts';
import { functionWorld } from '../../src/simulation/function-world.ts';
import { desk, simulatedReply } from './desk.ts';

const patient = desk({
  name: 'patient-desk',
  stepLimit: 2,
  open: async (task, snapshot, context) => {
    const session = await desk().open(task, snapshot, context);
    let hasHeard = false;
    const listen = (words: string) => {
      hasHeard ||= words.includes(task.id);
    };
    return {
      async step(action, signal, within) {
        const result = await session.step(action, signal, within);
        listen(observationText(result.observation));
        return result;
      },
      recall: async (_action, { observation }) => listen(observationText(observation)),
      async outcome({ ask }) {
        const content = `The code is ${task.id}. The agent says ${hasHeard ? task.id : 'nothing'}. Is it on its way? Answer yes or no.`;
        const grade = await ask({ purpose: 'grade', messages: [{ role: 'user', content }], temperature: 0 });
        return { reward: grade === 'yes' ? 1 : 0 };
      },
    };
  },
});

export const environments = [patient];

export const worlds = [
  functionWorld({
    policy: () => ({ action: { tool: 'mumble', arguments: {} } }),
    expert: ({ turns }) => {
      const code = /code is (\w+)/.exec(turns.at(-1)?.observation ?? '')?.[1];
      const ask: Action = { tool: 'say', arguments: { text: 'Which code do you have?' } };
      return { action: code === undefined ? ask : { tool: 'submit', arguments: { code } } };
    },
    prm: (_conversation, action) => (action?.tool === 'say' ? 0.9 : 0.1),
    reply: simulatedReply,
  }),
];

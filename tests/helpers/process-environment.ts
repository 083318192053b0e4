/**
 * Environments that answer by a process of their own, one that is careful with what the machine does to it, and one that is not. Each is a default
 * export of a file, because other processes load them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { defineEnvironment } from '../../src/environments/define.ts';

/** @param patienceMs longest that it waits for its process */
export function echoing(isCareful: boolean, patienceMs = 500) {
  return defineEnvironment({
    name: 'echo',
    version: '1',
    tools: [
      {
        type: 'function',
        function: {
          name: 'say',
          description: 'Says a word.',
          parameters: { type: 'object', properties: { word: { type: 'string' } } },
        },
      },
    ],
    tasks: async () => [{ id: 'task-1', split: 'train', group: 'g', title: 'Talk', difficulty: null }],
    briefing: async () => ({ system: 'Talk.', user: 'Words: yes, no.' }),
    script: async () => ['one', 'two'].map((word) => ({ thought: '', action: { tool: 'say', arguments: { word } } })),
    open: async () => {
      let child: ChildProcess | null = null;
      const answer = async (word: string): Promise<string> => {
        child ??= spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
        const own = child;
        const late = AbortSignal.timeout(patienceMs);
        const gone = once(own, 'exit', { signal: late }).then(() => {
          throw new Error('its process was killed');
        });
        const said = once(own.stdout!, 'data', { signal: late }).then(([data]) => String(data).trim());
        gone.catch(() => {});
        own.stdin!.on('error', () => {});
        own.stdin!.write(`${word}\n`);
        return Promise.race([said, gone]);
      };
      return {
        step: async ({ arguments: { word } }) => {
          try {
            return { observation: `You said ${await answer(String(word))}.`, done: false };
          } catch (error) {
            if (isCareful) throw error;
            return { observation: 'Error: time limit exceeded.', done: false };
          }
        },
        close: async () => {
          child?.kill('SIGKILL');
        },
      };
    },
  });
}

export default echoing(true);

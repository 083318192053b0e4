// Layer: commands as processes, on an environment that a file exports: crux init, check-env and serve-sim.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryProject } from '../end-to-end/crux.ts';

/** Two tasks that say what to answer; the second has no script, where `half` is asked for. */
const echo = (exported: string, half = false) => `import { defineEnvironment } from 'crux-rl';
${exported} defineEnvironment({
  name: 'echo',
  version: '1',
  tools: [{ type: 'function', function: { name: 'say', description: 'Says it.', parameters: { type: 'object', properties: { text: { type: 'string' } } } } }],
  tasks: async () => ['yes', 'no'].map((id) => ({ id, split: 'train', group: id, title: id, difficulty: null })),
  briefing: async ({ id }) => ({ system: 'Repeat it.', user: id }),
  open: async ({ id }) => ({
    step: async ({ arguments: { text } }) => ({ observation: 'Said.', done: true, reward: text === id ? 1 : 0 }),
  }),
  script: async ({ id }) => ${half ? "id === 'no' ? null : " : ''}[{ thought: '', action: { tool: 'say', arguments: { text: id } } }],
});
`;

test.each(['export default', 'export const own ='])(
  'init writes a configuration that has the environment of `%s`, with simulated models',
  async (exported) => {
    const project = temporaryProject();
    project.write('own.ts', echo(exported));
    const { code, stdout } = await project.crux('init', '--env', './own.ts', '--simulated');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('`crux serve-sim --env ./own.ts`') });
    expect(readFileSync(`${project.folder}/crux.config.ts`, 'utf8')).toContain("model: 'sim-policy'");
    // By its name in that configuration.
    const checked = await project.crux('check-env', 'echo');
    expect(checked.stdout).toContain('✓ scripts solve their tasks: 2 of 2 tasks');
    expect(checked.code, checked.stdout).toBe(0);
  },
);

test('init refuses a file without an environment, and writes nothing', async () => {
  const project = temporaryProject();
  project.write('own.ts', 'export const nothing = 1;');
  const { code, stderr } = await project.crux('init', '--env', './own.ts');
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('exports no environment') });
  expect(() => readFileSync(`${project.folder}/crux.config.ts`)).toThrow();
});

test('serve-sim serves the tasks of an environment, and names those that it cannot', async () => {
  const project = temporaryProject();
  project.write('own.ts', echo('export default', true));
  const running = project.start(['serve-sim', '--env', './own.ts', '--mistakes', '0', '--port', '0']);
  const address = /Simulated models at (\S+):/;
  await running.says(address);
  const [, url] = address.exec(running.stderr())!;
  const ask = (content: string) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'sim-policy',
        messages: [
          { role: 'system', content: 'Repeat it.' },
          { role: 'user', content },
        ],
      }),
    });
  const answer = (await (await ask('yes')).json()) as { choices: { message: { content: string } }[] };
  expect(answer.choices[0]!.message.content).toContain('Action: say\nAction Input: {"text":"yes"}');
  expect((await ask('no')).status).toBe(400);
  running.process.kill('SIGTERM');
  const { stderr } = await running.ended;
  expect(stderr).toContain('Environment echo: the scripts of 1 of 2 tasks.');
  expect(stderr).toContain('Left out, because it has no script: no. A request about one is refused.');
});

test.each([
  [['--mistakes', '0.4'], 'no --env is given'],
  [['--env', './own.ts', '--mistakes', '40'], 'expected a number from 0 to 1'],
  [['--env', './none.ts'], 'There is no file'],
])('serve-sim %j is refused', async (args, said) => {
  const project = temporaryProject();
  project.write('own.ts', echo('export default'));
  const { code, stderr } = await project.crux('serve-sim', '--port', '0', ...args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(said) });
});

/** The Python environment of the lab (examples/lab/setup.sh), a tiny model made with it, and programs that are run by it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';

export const repository = join(import.meta.dirname, '../..');
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
export const python = process.env.CRUX_LAB_PYTHON ?? join(cache, 'crux/lab-python/bin/python');

/** Why tests of the lab are skipped; null if they run. */
export const withoutPython = existsSync(python)
  ? null
  : `${python} is not there: \`npm run lab:setup\` makes it (6 GB), or CRUX_LAB_PYTHON names another one`;
if (withoutPython) console.warn(`skipped: ${withoutPython}`);

const env = { ...process.env, CUDA_VISIBLE_DEVICES: '', HF_HUB_OFFLINE: '1' };

/** A folder that is gone when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crux-lab-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Ended = { code: number | null; signal: NodeJS.Signals | null; output: string };

/** @param script path in the repository */
export function start(script: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(python, [join(repository, script), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
  return { child, ended };
}

export async function runPython(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(python, ['-c', program], { env, cwd: join(repository, 'python') });
  return stdout;
}

type Message = { role: string; content: string };
type Row = { prompt: Message[]; right: string; wrong: string; goods: string };

const goods = ['tea', 'shoes', 'lamps', 'books'];
const colours = ['red', 'blue', 'green'];

/** Sixty orders, each answered rightly and wrongly. */
export const orders: readonly Row[] = Array.from({ length: 60 }, (_, index) => {
  const [ware, colour] = [goods[index % goods.length]!, colours[index % colours.length]!];
  const other = colours[(index + 1) % colours.length]!;
  const prompt = [
    { role: 'system', content: 'You buy things.' },
    { role: 'user', content: `Order ${ware}, ${colour}.` },
  ];
  return { prompt, right: `take ${colour} ${ware}`, wrong: `take ${other} ${ware}`, goods: ware };
});

/** A model with random weights whose words are those of the orders. @returns its folder */
export async function makeBase(folder: string): Promise<string> {
  const texts = join(folder, 'texts.txt');
  const said = orders.flatMap(({ prompt, right, wrong }) => [...prompt.map(({ content }) => content), right, wrong]);
  writeFileSync(texts, [...said, 'Taken.', 'pay tea', 'pay shoes', 'pay lamps', 'pay books'].join('\n'));
  const base = join(folder, 'base');
  const { code, output } = await start('examples/lab/make_base.py', ['--texts', texts, '--out', base]).ended;
  if (code !== 0) throw new Error(output);
  return base;
}

/** `crux_serve.py` with models, each as folder and name. @returns its address, once it has said it */
export async function serveModels(
  ...models: [folder: string, name: string][]
): Promise<{ url: string; stop: () => void }> {
  const args = models.flatMap(([folder, name]) => ['--model', folder, '--name', name]);
  const { child, ended } = start('python/crux_serve.py', [...args, '--port', '0']);
  const address = new Promise<string>((resolve) =>
    child.stdout!.on('data', (data) => {
      const found = /at (http:\S+)\/v1/.exec(String(data));
      if (found) resolve(found[1]!);
    }),
  );
  const failed = ended.then(({ code, output }): never => {
    throw new Error(`ended with ${code}: ${output}`);
  });
  failed.catch(() => {});
  return { url: await Promise.race([address, failed]), stop: () => child.kill('SIGTERM') };
}

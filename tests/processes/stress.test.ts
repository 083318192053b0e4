// Layer: real processes that are stopped and killed. What the machine does to an environment is a fault, never an observation.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { startApart } from '../../src/cli/commands/check-env-apart.ts';
import { stressEnvironment } from '../../src/environments/check/stress.ts';
import { identifyProcess } from '../../src/temporal/process-identity.ts';
import { temporaryProject } from '../end-to-end/crux.ts';

/** Processes under another one, with the state in which the system has them. */
function under(pid: number): { pid: number; state: string }[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' }).trim().split('\n');
  const all = rows.map((row) => row.trim().split(/\s+/)).map(([id, parent, state]) => ({ id, parent, state: state! }));
  const own = all.filter(({ parent }) => Number(parent) === pid);
  return own.flatMap(({ id, state }) => [{ pid: Number(id), state }, ...under(Number(id))]);
}

const say = (word: string) => ({ tool: 'say', arguments: { word } });
const tasks = [{ taskId: 'task-1', actions: [say('one'), say('two')] }];

function stressed(file: string): Promise<string> {
  const path = new URL(`../helpers/${file}.ts`, import.meta.url).pathname;
  // Longer than the half second that these environments wait.
  return stressEnvironment(() => startApart({ config: 'crux.config.ts' }, path), tasks, { stallMs: 900 });
}

describe.skipIf(process.platform === 'win32')('under stalls and kills', () => {
  it('an environment passes that throws what the machine does to it', async () => {
    const done = await stressed('process-environment');
    expect(done).toMatch(
      /^\d+ steps disturbed \(processes hit: \d+ of the environment’s own\), [1-9]\d* faults, no answer changed$/,
    );
  }, 120_000);

  it('an environment fails that writes it down as an observation', async () => {
    await expect(stressed('careless-process')).rejects.toThrow(
      /action 2 with its processes stopped: undisturbed "You said two\.", now "Error: time limit exceeded\."/,
    );
  }, 120_000);

  it('a command that is interrupted during a stall leaves no process behind', async () => {
    const file = new URL('../helpers/patient-process.ts', import.meta.url).pathname;
    const command = temporaryProject().start(['check-env', file, '--tasks', '1', '--stress', '--stall', '600']);
    const stopped = () => under(command.process.pid!).filter(({ state }) => state.startsWith('T'));
    await expect.poll(stopped).not.toEqual([]);
    const children = under(command.process.pid!);
    command.process.kill('SIGINT');
    expect((await command.ended).code).toBe(130);
    const alive = () => children.filter(({ pid }) => identifyProcess(pid) !== null);
    await expect.poll(alive).toEqual([]);
  });
});

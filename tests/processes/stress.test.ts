// Layer: real processes that are stopped and killed. What the machine does to an environment is a fault, never an observation.
import { describe, expect, it } from 'vitest';
import { startApart } from '../../src/cli/commands/check-env-apart.ts';
import { stressEnvironment } from '../../src/environments/check/stress.ts';

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
});

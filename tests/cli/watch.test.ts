// Layer: the command as a user calls it, as a process of its own, over a store written by hand. No Temporal server.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { temporaryProject } from '../end-to-end/crux.ts';
import { addRun } from '../helpers/store.ts';

test('a run that is blocked is not watched for ever: the command ends with 4 and the words of the server', async () => {
  const project = temporaryProject({ CRUX_BLOCKED_PATIENCE: '1' });
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    await addRun(store, { id: 'run-1', taskIds: ['a1'] });
    await store.runs.block('run-1', {
      ...{ kind: 'Model.Account', endpoint: 'models', provider: 'provider', model: 'm' },
      ...{ message: 'The endpoint "models" answered 402: Insufficient credits.', since: Date.now() },
    });
    const { code, stdout, stderr } = await project.crux('watch', 'run-1');
    expect(code, stderr).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Run run-1 is blocked .*answered 402: Insufficient credits.*To continue: crux resume run-1/);
  } finally {
    await store.close();
  }
});

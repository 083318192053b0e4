// Layer: the command over a configuration and a store written by hand. No Temporal server.
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryProject } from '../../end-to-end/crux.ts';

test('providers of a configuration that does not load says so, and makes no store', async () => {
  const project = temporaryProject();
  project.write('crux.config.ts', 'export default {{');
  const { code, stdout, stderr } = await project.crux('providers', '--clear');
  expect(stdout).toBe('');
  expect(stderr).toMatch(/Note: .*crux\.config\.ts[\s\S]*There is no store at/);
  expect(code).toBe(2);
  expect(existsSync(project.home)).toBe(false);
});

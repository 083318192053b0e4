// Layer: checks of the surroundings, with addresses where nobody answers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { checkTemporal } from '../../src/doctor/surroundings.ts';
import { temporaryFolder } from '../helpers/store.ts';

it("a server that Temporal's configuration file names is the one that is checked", async () => {
  const home = temporaryFolder();
  const file = join(home, 'temporal.toml');
  writeFileSync(file, '[profile.default]\naddress = "127.0.0.1:1"\nnamespace = "mine"\n');
  vi.stubEnv('TEMPORAL_CONFIG_FILE', file);
  expect(await checkTemporal(home, { codecKeyEnv: undefined, report: () => {} })).toMatchObject({
    ok: false,
    detail: expect.stringContaining('Temporal at 127.0.0.1:1 (namespace "mine") is out of reach'),
  });
});

it('keys that no worker could use are named, under the variable of the configuration', async () => {
  vi.stubEnv('OWN_KEYS', 'short');
  expect(await checkTemporal(temporaryFolder(), { codecKeyEnv: 'OWN_KEYS', report: () => {} })).toMatchObject({
    ok: false,
    detail: 'Key 1 in OWN_KEYS is not 32 bytes in base64.',
  });
});

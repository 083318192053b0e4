// Layer: pure core, with variables set in this process.
import { afterEach, expect, it, vi } from 'vitest';
import { environmentWithout, withheldVariables } from '../../src/training/environment.ts';

afterEach(() => vi.unstubAllEnvs());

it('trainers and servers get no key of models, payloads, store or Temporal, and all else', () => {
  const keys = [
    ...['MY_MODEL_KEY', 'MY_CODEC_KEY', 'CRUX_STORE', 'PGPASSWORD', 'PGPASSFILE'],
    ...['TEMPORAL_API_KEY', 'TEMPORAL_TLS_CLIENT_KEY_DATA', 'TEMPORAL_GRPC_META_AUTHORIZATION'],
  ];
  const others = ['HF_TOKEN', 'CUDA_VISIBLE_DEVICES', 'CRUX_HOME', 'PGHOST'];
  for (const name of [...keys, ...others]) vi.stubEnv(name, 'planted');
  const withheld = withheldVariables({
    endpoints: { policy: { apiKeyEnv: 'MY_MODEL_KEY' }, hub: { apiKeyEnv: 'HF_TOKEN' }, open: { apiKeyEnv: null } },
    temporal: { codecKeyEnv: 'MY_CODEC_KEY' },
  });
  const env = environmentWithout(withheld);
  expect(keys.filter((name) => name in env)).toEqual([]);
  expect(others.filter((name) => !(name in env))).toEqual([]);
});

// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MethodName } from '../../../src/domain/methods/index.ts';
import type { Certificate, CertifiedAction } from '../../../src/domain/pairs/pair.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({
    worker: (baseUrl) => ({ endpoints: { simulated: { baseUrl, logprobs: true } } }),
  });
});
afterAll(() => lab.close());

/** What a certificate tells of its sides, by who wrote them. */
const told: { [method in MethodName]?: { chosen: 'policy' | 'expert'; logprobs: ('chosen' | 'rejected')[] } } = {
  cso: { chosen: 'expert', logprobs: ['rejected'] },
  rro: { chosen: 'policy', logprobs: ['chosen', 'rejected'] },
};

/** The certificate as it was made when none of this was kept. */
function asOfBefore(certificate: Certificate): Certificate {
  const without = ({ promptTokens: _p, completionTokens: _c, policyLogprob: _l, ...action }: CertifiedAction) => action;
  return { ...certificate, chosen: without(certificate.chosen), rejected: without(certificate.rejected) };
}

it.each(['cso', 'rro'] as const)('%s certifies lengths, and how likely the policy found its own', async (method) => {
  const runId = await lab.made({ method, limit: method === 'rro' ? 1 : 5 });
  const pairs = await lab.store.findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  const { chosen: author, logprobs } = told[method]!;
  const known = ({ promptTokens, completionTokens }: CertifiedAction) => promptTokens! > 0 && completionTokens! > 0;
  for (const pair of pairs) {
    const certificate = pair.certificate;
    expect(certificate.chosen.source).toBe(author);
    for (const side of ['chosen', 'rejected'] as const) {
      expect(known(certificate[side])).toBe(true);
      const { policyLogprob } = certificate[side];
      if (logprobs.includes(side)) expect(policyLogprob).toBeLessThan(0);
      else expect(policyLogprob).toBeNull();
    }
    const environments = new EnvironmentRegistry(lab.config().environments);
    for (const either of [certificate, asOfBefore(certificate)])
      expect(await verifyPair(lab.store, environments, { ...pair, certificate: either })).toMatchObject({ ok: true });
  }
});

it.each(['eto', 'ipr'] as const)('%s certifies whole sides, the policy’s with how likely it is', async (method) => {
  const runId = await lab.made({ method, limit: 3 });
  const pairs = await lab.store.findings.pairs(runId);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) {
    const { chosen, rejected } = pair.certificate;
    for (const side of [chosen, rejected]) {
      expect([side.source, side.policyLogprob === null]).toEqual([side.source, side.source !== 'policy']);
      expect([side.source, side.completionTokens! > 0]).toEqual([side.source, true]);
    }
  }
});

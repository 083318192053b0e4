// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store, in halls whose sessions give opening and tools.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName } from '../../../src/domain/methods/index.ts';
import type { Pair } from '../../../src/domain/pairs/pair.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { loadExamples } from '../../../src/views/examples.ts';
import { loadPairs } from '../../../src/views/pairs.ts';
import { runView } from '../../../src/views/run-view.ts';
import { verifyPair } from '../../../src/views/verify-pair.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';

let lab: DirectLab;
beforeAll(async () => {
  lab = await DirectLab.open({ stage: new URL('../../helpers/halls-stage.ts', import.meta.url).href });
});
afterAll(() => lab.close());

const formats = ['tools', 'react'] as const;

async function finished(method: MethodName, format: (typeof formats)[number], seed = 1) {
  const run = await lab.start({ method, environment: 'halls', limit: 2, seed, config: { run: { format } } });
  expect(await run.result()).toMatchObject({ state: 'finished' });
  return run.id;
}

/** Whether the turns of a side go on in a place with other tools. */
const goesOn = ({ chosen, rejected }: Pair) => chosen.length > 2 || rejected.length > 2;

describe.each(formats)('in the format %s', (format) => {
  it.each(['cso', 'rro', 'ipr', 'eto', 'step-dpo', 'anchor'] as const)('pairs of %s hold', async (method) => {
    const environments = new EnvironmentRegistry(lab.config().environments);
    const pairs: Pair[] = [];
    for (const seed of [1, 2]) {
      const runId = await finished(method, format, seed);
      for (const pair of await lab.store.findings.pairs(runId))
        expect(await verifyPair(lab.store, environments, pair)).toMatchObject({ ok: true, problems: [] });
      pairs.push(...(await loadPairs(lab.store, runId)));
      expect((await runView(lab.store, runId)).faults).toEqual([]);
    }
    expect(pairs.length).toBeGreaterThan(0);
    // A row has one list of tools. As text, the list stands where it changes.
    const isHeld = (pair: Pair) => pair.change === (format === 'tools' && goesOn(pair) ? 'tools-changed' : undefined);
    expect(pairs.filter((pair) => !isHeld(pair))).toEqual([]);
  });

  it('examples are held by a row only as text', async () => {
    const examples = await loadExamples(lab.store, await finished('sft', format));
    const change = format === 'tools' ? 'tools-changed' : undefined;
    expect(examples.map((example) => example.change)).toEqual([change, change]);
  });
});

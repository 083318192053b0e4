// Layer: pure core of the improvement's activities.
import { expect, it } from 'vitest';
import { trainedFrom } from '../../../src/activities/improve/account.ts';
import type { PhaseRecord } from '../../../src/domain/improve/rounds.ts';
import type { ImproveSettings } from '../../../src/domain/improve/settings.ts';

const record = (round: number, phase: string, result: unknown) =>
  ({ round, phase, result, startedAt: 0, finishedAt: 1 }) as PhaseRecord;
const model = (name: string) => ({ name, root: `/${name}`, hash: 'h' });
/** Round 1 was promoted. */
const promoted = [record(1, 'serve', model('m1')), record(1, 'decide', { isPromoted: true })];
const warm = record(0, 'serve', model('warm'));

// What the canary asks next to a candidate is what its trainer measured as the model before.
it.each([
  ['rft', 1, [], 'base'],
  ['rft', 2, promoted, 'base'],
  ['rft', 2, [warm, ...promoted], 'warm'],
  ['cso', 1, [], 'base'],
  ['cso', 2, promoted, 'm1'],
  // The warm start imitates from the model that is given.
  ['cso', 0, [], 'base'],
] as const)(
  'a round of %s (%i) is trained from the weights that its method begins with: %#',
  (method, round, records, name) => {
    const config = { models: { policy: { model: 'base' } } };
    const settings = { method, config, base: { from: '/base' } } as unknown as ImproveSettings;
    expect(trainedFrom({ settings, records: [...records] }, round).model.name).toBe(name);
  },
);

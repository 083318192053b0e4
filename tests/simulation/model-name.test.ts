// Layer: pure core.
import { describe, expect, test } from 'vitest';
import { parseModelName } from '../../src/simulation/model-name.ts';

describe('parseModelName', () => {
  test('reads family, defaults and settings', () => {
    expect(parseModelName('sim-policy')).toMatchObject({ role: 'policy', skill: 0.5, malformed: 0 });
    expect(parseModelName('sim-policy@skill=0.7,malformed=0.1')).toMatchObject({ skill: 0.7, malformed: 0.1 });
    expect(parseModelName('sim-expert')).toMatchObject({ role: 'expert', skill: 0.9, family: 'sim-expert' });
    expect(parseModelName('sim-prm@auc=0.7')).toMatchObject({ role: 'prm', auc: 0.7 });
  });

  test.each([
    'gpt-4',
    'sim-policy@auc=0.7',
    'sim-policy@skill=2',
    'sim-policy@skill=',
    'sim-policy@skill=x',
    'sim-prm@auc=0.4',
    'sim-policy@',
  ])('does not know %s', (name) => {
    expect(() => parseModelName(name)).toThrow(expect.objectContaining({ status: 404, code: 'model_not_found' }));
  });
});

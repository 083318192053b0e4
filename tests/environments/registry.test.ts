// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { defineEnvironment } from '../../src/environments/define.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { doors } from '../activities/doors.ts';

describe('the environments of a worker', () => {
  it('are found by name, and their tasks by id', async () => {
    const { environment } = doors();
    const registry = new EnvironmentRegistry([environment]);
    expect(registry.names).toEqual(['doors']);
    expect(registry.get('doors')).toBe(environment);
    expect((await registry.tasks('doors')).map(({ id }) => id)).toEqual(['task-1', 'task-2']);
    expect(await registry.task('doors', 'task-2')).toMatchObject({ id: 'task-2' });
  });

  it('that are not there are told with those that are', async () => {
    const registry = new EnvironmentRegistry([doors().environment]);
    expect(() => registry.get('windows')).toThrow(
      expect.objectContaining({ kind: 'User.NotFound', remedy: expect.stringContaining('doors') }),
    );
    await expect(registry.task('doors', 'task-9')).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringMatching(/doors.*task-9/),
    });
    await expect(registry.tasks('windows')).rejects.toMatchObject({ kind: 'User.NotFound' });
  });

  it('of the same name are refused', () => {
    expect(() => new EnvironmentRegistry([doors().environment, doors().environment])).toThrow(
      expect.objectContaining({ kind: 'User.Config', message: expect.stringContaining('doors') }),
    );
  });

  it('are asked for their tasks once, and again after a failure', async () => {
    let times = 0;
    const tasks = async () => {
      if (++times === 1) throw new Error('no data yet');
      return [];
    };
    const registry = new EnvironmentRegistry([doors({ tasks }).environment]);
    await expect(registry.tasks('doors')).rejects.toThrow('no data yet');
    await Promise.all([registry.tasks('doors'), registry.tasks('doors')]);
    expect(times).toBe(2);
  });
});

it('an environment whose capabilities were put together without defineEnvironment is refused', () => {
  const { environment } = doors();
  const changed = (capabilities: object) => ({ ...environment, capabilities }) as typeof environment;
  for (const capabilities of [
    { deterministic: false, branchable: false, sessions: 'cheap', maxSessions: 1 },
    { ...environment.capabilities, deterministic: false },
  ])
    expect(() => new EnvironmentRegistry([changed(capabilities)])).toThrow(
      /"doors" are not those that defineEnvironment makes/,
    );
  expect(() => new EnvironmentRegistry([changed({ ...environment.capabilities, branchable: false })])).not.toThrow();
});

describe('a definition', () => {
  const { environment: definition } = doors();
  const { capabilities: _, ...bare } = definition;

  it('gets every default that its author leaves out', () => {
    expect(defineEnvironment({ ...bare, stepLimit: undefined, successAt: undefined })).toMatchObject({
      stepLimit: 10,
      successAt: 1,
      verifier: {},
      capabilities: { replay: 'compare', branchable: true, sessions: 'cheap', maxSessions: 64 },
    });
  });

  const capabilitiesOf = (capabilities: object) => defineEnvironment({ ...bare, capabilities }).capabilities;

  it('says by `deterministic` too whether it is replayed', () => {
    expect(capabilitiesOf({ deterministic: true }).replay).toBe('compare');
    expect(capabilitiesOf({ deterministic: false }).replay).toBe('never');
    expect(capabilitiesOf({ replay: 'recorded' }).replay).toBe('recorded');
    expect(capabilitiesOf({ replay: 'never', deterministic: false }).replay).toBe('never');
  });

  it.each([
    { replay: 'compare', deterministic: false },
    { replay: 'recorded', deterministic: true },
    { replay: 'recorded', deterministic: false },
    { replay: 'sometimes' },
  ])('of %j is refused', (capabilities) => {
    expect(() => capabilitiesOf(capabilities)).toThrow(TypeError);
  });

  it('with results that its runs share is refused unless what was recorded counts', () => {
    const shared = () => null;
    expect(() => defineEnvironment({ ...bare, shared })).toThrow(
      /shared\(\), which needs .* 'recorded', not 'compare'/,
    );
    expect(() => defineEnvironment({ ...bare, shared, capabilities: { replay: 'recorded' } })).not.toThrow();
  });

  it('of an environment that is never replayed may not be branched, unless its author says so', () => {
    expect(capabilitiesOf({ deterministic: false }).branchable).toBe(false);
    expect(capabilitiesOf({ replay: 'never', branchable: true }).branchable).toBe(true);
    expect(capabilitiesOf({ replay: 'recorded' }).branchable).toBe(true);
    expect(capabilitiesOf({ replay: 'recorded', branchable: false }).branchable).toBe(false);
  });

  it.each(['', 'Doors', 'two doors', '-doors', 'x'.repeat(42)])('by the name %j is refused', (name) => {
    expect(() => defineEnvironment({ ...bare, name })).toThrow(TypeError);
  });

  it.each([0, -1, 1.5, Number.NaN])('with %s steps is refused', (stepLimit) => {
    expect(() => defineEnvironment({ ...bare, stepLimit })).toThrow(TypeError);
  });
});

// Layer: pure rules.
import { describe, expect, it } from 'vitest';
import type { Phase, PhaseRecord } from '../../../src/domain/improve/rounds.ts';
import { changeOf, mayChange, type Standing } from '../../../src/domain/improve/setting-changes.ts';

const difference = (path: string) => ({ path, known: 1, wanted: 2 });

/** Phases that are over, and one that is not. */
function standing(over: [round: number, phase: Phase][], changes: Partial<Standing> = {}): Standing {
  const records = over.map(([round, phase]) => ({ round, phase, startedAt: 1, finishedAt: 2, result: {} }));
  return {
    ...{ settings: { rounds: 2, warmStart: false }, records: records as PhaseRecord[] },
    ...{ hasStopped: true, isTraining: false, keepsPlace: true },
    ...changes,
  };
}

describe('a setting', () => {
  it.each(['trainer.python', 'server.port', 'hyperparameters.dpo.batchSize', 'export.tokenizer', 'trainer.kind'])(
    '%s may change while the improvement is not over',
    (path) => expect(mayChange(difference(path), standing([]))).toBe(true),
  );

  it.each(['seed', 'method', 'base.from', 'promote', 'tasks.collect', 'config.models.policy.model', 'exporter.x'])(
    '%s may not',
    (path) => expect(mayChange(difference(path), standing([]))).toBe(false),
  );

  it('that says what kind a tool is may change once its workflow has stopped, if the weights stay where they are', () => {
    const kind = difference('server.kind');
    expect(mayChange(kind, standing([], { hasStopped: false }))).toBe(false);
    expect(mayChange(kind, standing([], { keepsPlace: false }))).toBe(false);
    expect(mayChange(difference('trainer.dialect'), standing([]))).toBe(false);
  });
});

describe('a change holds', () => {
  const since = (path: string, ...of: Parameters<typeof standing>) =>
    changeOf(difference(path), standing(...of), 1).since;
  const [training, rows, served] = ['hyperparameters.dpo.epochs', 'export.thought', 'server.port'] as const;

  it('from the first work on that is not done', () => {
    expect(since(training, [])).toEqual({ round: 1, phase: 'train' });
    expect(since(training, [], { settings: { rounds: 2, warmStart: true } })).toEqual({ round: 0, phase: 'train' });
    expect(since(training, [[1, 'export']])).toEqual({ round: 1, phase: 'train' });
    expect(since(training, [[1, 'train']])).toEqual({ round: 2, phase: 'train' });
    expect(since(training, [[1, 'export']], { isTraining: true })).toEqual({ round: 2, phase: 'train' });
  });

  it('for rows of a round that are not trained on yet, if its workflow begins anew', () => {
    expect(since(rows, [[1, 'export']])).toEqual({ round: 1, phase: 'export' });
    expect(since(rows, [[1, 'export']], { hasStopped: false })).toEqual({ round: 2, phase: 'export' });
    expect(since(rows, [[1, 'export']], { isTraining: true })).toEqual({ round: 2, phase: 'export' });
  });

  it('for what is served from now on, also in the test', () => {
    expect(since(served, [])).toEqual({ round: 0, phase: 'serve' });
    expect(since(served, [[2, 'decide']])).toEqual({ round: 0, phase: 'test-start' });
  });

  it('for nothing if no such work is left', () => {
    expect(since(training, [[2, 'train']])).toBeNull();
  });
});

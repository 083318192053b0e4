// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { CruxError } from '../../src/errors.ts';
import type { LogFormat, LogLevel } from '../../src/observe/log.ts';
import { makeLog } from '../../src/observe/make-log.ts';

function lines(format: LogFormat, level: LogLevel = 'debug') {
  const written: string[] = [];
  return { log: makeLog({ format, level, write: (line) => written.push(line) }), written };
}

describe('as JSON', () => {
  it('an event is one object on one line, with time, level and fields', () => {
    const { log, written } = lines('json');
    log('info', 'worker started', { roles: ['agent'], step: 3 });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/\}\n$/);
    expect(JSON.parse(written[0]!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      pid: process.pid,
      message: 'worker started',
      roles: ['agent'],
      step: 3,
    });
  });

  it('an error is its kind, its words and those of its causes, and nothing that clings to it', () => {
    const { log, written } = lines('json');
    const cause = Object.assign(new TypeError('cut'), { headers: { authorization: 'Bearer planted' } });
    log('warn', 'model call failed', { error: new CruxError('Model.Transport', 'no answer', { cause }) });
    expect(JSON.parse(written[0]!).error).toEqual({
      kind: 'Model.Transport',
      message: 'no answer',
      cause: { kind: 'TypeError', message: 'cut', stack: expect.any(String) },
    });
    expect(written[0]).not.toContain('planted');
  });

  it('less important events than the level are left out', () => {
    const { log, written } = lines('json', 'warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log(level, level);
    expect(written.map((line) => JSON.parse(line).message)).toEqual(['warn', 'error']);
  });
});

it('pretty lines are for people: words first, then fields, quoted where they have blanks', () => {
  const { log, written } = lines('pretty');
  log('warn', 'environment broke', {
    task: 'maze-1',
    note: 'two words',
    error: new CruxError('Environment.Fault', 'gone'),
  });
  expect(written[0]!.slice(13)).toBe(
    'warn  environment broke  task=maze-1  note="two words"  error=Environment.Fault: gone\n',
  );
});

// Layer: pure core. What a session may ask, and when.
import { describe, expect, it } from 'vitest';
import type { AskRequest, SessionContext } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { type AnswerQuestion, inContext, type Misuse, noAnswers } from '../../src/environments/session-context.ts';
import { CruxError } from '../../src/errors.ts';
import { reach } from '../simulation/reach.ts';

const grade: AskRequest = { purpose: 'grade', messages: [{ role: 'user', content: 'Good?' }] };
const environment = { name: 'desk', asks: ['grade' as const] };
const where = 'step 3 of task t-7';
const signal = new AbortController().signal;
const echo: AnswerQuestion = async (_request, number) => `answer ${number}`;

function taking<T>(work: (context: SessionContext) => Promise<T>, answer = echo, misuse?: Misuse): Promise<T> {
  return inContext({ environment, where, answer, signal, misuse }, work);
}

describe('a session that asks', () => {
  it('gets its answers, numbered in the order in which it asks', async () => {
    expect(
      await taking(async ({ ask }) => [await ask(grade), ...(await Promise.all([ask(grade), ask(grade)]))]),
    ).toEqual(['answer 0', 'answer 1', 'answer 2']);
  });

  it('fails by the failure of its question although it swallows it', async () => {
    const budget = new CruxError('Run.Budget', 'Nothing is left.');
    const swallow = taking(
      async ({ ask }) => ask(grade).catch(() => 'no grade'),
      async () => Promise.reject(budget),
    );
    await expect(swallow).rejects.toBe(budget);
  });

  it('fails by the first of several failures, whichever comes first, and by one that it does not wait for', async () => {
    const slowFirst: AnswerQuestion = async (_request, number) => {
      for (let turn = 0; turn < 10 - 5 * number; turn++) await Promise.resolve();
      throw new CruxError('Model.Rejected', `question ${number}`);
    };
    const careless = taking(async ({ ask }) => {
      void ask(grade);
      void ask(grade);
      return 'done';
    }, slowFirst);
    await expect(careless).rejects.toThrow('question 0');
  });

  it('is refused when its step is over, and takes no more steps', async () => {
    const misuse: Misuse = { fault: null };
    let kept: SessionContext | undefined;
    await taking(
      async (context) => {
        kept = context;
      },
      echo,
      misuse,
    );
    const late = { kind: 'Environment.Fault', message: `The environment desk asked a model when ${where} was over.` };
    await expect(kept!.ask(grade)).rejects.toMatchObject(late);
    await expect(taking(async () => 'a result', echo, misuse)).rejects.toMatchObject(late);
  });

  it('is reported once, and ends no process, if nobody waits for the answer that it does not get', async () => {
    const reported: CruxError[] = [];
    const misuse: Misuse = { fault: null, report: (fault) => reported.push(fault) };
    let kept: SessionContext | undefined;
    await taking(
      async (context) => {
        kept = context;
      },
      echo,
      misuse,
    );
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    void kept!.ask(grade);
    void kept!.ask(grade);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect(reported).toEqual([misuse.fault]);
  });

  it.each<[string, AskRequest, string]>([
    [
      'a purpose that it did not declare',
      { ...grade, purpose: 'user' },
      'the purpose "user", which its `asks` does not name',
    ],
    ['an empty conversation', { ...grade, messages: [] }, 'messages: '],
    ['a temperature out of range', { ...grade, temperature: 3 }, 'temperature: '],
    ['a member that nobody knows', { ...grade, seed: 7 } as AskRequest, 'seed'],
  ])('with %s is at fault', async (_, request, words) => {
    await expect(taking(({ ask }) => ask(request))).rejects.toMatchObject({
      kind: 'Environment.Fault',
      message: expect.stringContaining(words),
    });
    await expect(taking(({ ask }) => ask(request))).rejects.toThrow(where);
  });

  it('gets a sentence where nothing answers', async () => {
    await expect(taking(({ ask }) => ask(grade), noAnswers('Nobody is here.'))).rejects.toThrow('Nobody is here.');
  });
});

describe('an environment that asks models', () => {
  it('cannot be compared by replay', () => {
    expect(() => reach({ asks: ['grade'] })).toThrow(TypeError);
    expect(() => reach({ asks: ['grade'], capabilities: { deterministic: true } })).toThrow(
      'its replays cannot be compared',
    );
    expect(reach({ asks: ['grade'], capabilities: { replay: 'recorded' } }).asks).toEqual(['grade']);
  });

  it('names purposes that there are', () => {
    const wrong = () =>
      defineEnvironment({ ...reach(), asks: ['judge' as never], capabilities: { replay: 'recorded' } });
    expect(wrong).toThrow('asks of reach may name grade and user, not "judge"');
  });
});

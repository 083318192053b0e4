// Layer: the gateway against a scripted endpoint over HTTP, with a store. Answers with status 200 that are none.
import { describe, expect, it } from 'vitest';
import { ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import { CruxError } from '../../src/errors.ts';
import { ledgerLines } from '../../src/store/ledger.ts';
import type { Reply } from '../helpers/model-endpoint.ts';
import { runConfig } from '../helpers/store.ts';
import { gatewayTo, never } from './gateway-builder.ts';

/** Rejects with the fault itself where it blocked the run. */
async function behind<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof CruxError && error.kind === 'Run.Blocked' ? error.cause : error;
  }
}

const wordless: Reply = { content: null, message: { reasoning_content: 'I think it is left.' } };
const words: Reply = { content: 'Left.' };
const cut: Reply = { content: 'Thought: I am cu', finishReason: 'abort' };

describe('an answer that the server calls broken', () => {
  it('is asked for again, never journaled, and counted with what it cost', async () => {
    const { gateway, store, call } = await gatewayTo([cut, words]);
    expect((await gateway.answer(call(), never)).message.content).toBe('Left.');
    expect(await store.unusable.lines('run-1')).toEqual([
      {
        role: 'policy',
        purpose: 'explore',
        reason: 'broken',
        calls: 1,
        promptTokens: 100,
        completionTokens: 10,
        costMicroUsd: 120,
      },
    ]);
    expect(await ledgerLines(store.database, 'run-1')).toMatchObject([{ calls: 1, promptTokens: 100 }]);
    const used = await store.reservations.use({ runId: 'run-1', taskId: 'task-1', stepId: null }, 'task');
    expect(used).toMatchObject({ calls: 2, tokens: 220, costMicroUsd: 240 });
    expect(await store.reservations.use({ runId: 'run-1', taskId: null, stepId: null }, 'run')).toMatchObject({
      calls: 2,
      tokens: 220,
    });
  });

  it('every time is no fault of a task: the run is told, with the word', async () => {
    const { gateway, endpoint, call } = await gatewayTo(() => cut, { maxFaults: 20 });
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringMatching(/"abort".*answer 5 of its kind/s),
    });
    expect(endpoint.requests.length).toBe(5);
  });

  it('for one call alone gives up that call', async () => {
    const { gateway, call } = await gatewayTo((_, number) => (number === 1 ? words : cut));
    await gateway.answer(call(), never);
    await expect(behind(gateway.answer(call({ sample: 1 }), never))).rejects.toMatchObject({ kind: 'Model.Exhausted' });
    await expect(behind(gateway.answer(call({ sample: 2 }), never))).rejects.toMatchObject({ kind: 'Model.Exhausted' });
    // The third call in a row: it is not the calls.
    await expect(behind(gateway.answer(call({ sample: 3 }), never))).rejects.toMatchObject({ kind: 'Model.Setup' });
  });
});

describe('an answer without words', () => {
  it('every time is a fault of set-up that says what came and what to do', async () => {
    const { gateway, endpoint, call } = await gatewayTo(() => wordless);
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringContaining('all of its text was reasoning (19 characters), and no tool was called'),
      remedy: expect.stringMatching(/reasoning parser.*thinking off/s),
    });
    expect(endpoint.requests.length).toBe(3);
  });

  it('once is asked for again with another seed', async () => {
    const { gateway, endpoint, call, store } = await gatewayTo([{ content: '' }, words]);
    const answer = await gateway.answer(call(), never);
    const seeds = endpoint.requests.map(({ body }) => body.seed);
    expect(seeds[0]).not.toBe(seeds[1]);
    expect(answer).toMatchObject({ message: { content: 'Left.' }, seed: seeds[1] });
    expect(new Set(endpoint.requests.map(({ key }) => key)).size).toBe(2);
    expect(await store.unusable.lines('run-1')).toMatchObject([{ reason: 'wordless', calls: 1 }]);
  });

  it('whose length went into reasoning is a fault of set-up at first, and the answer of a model that can speak', async () => {
    const long: Reply = { ...wordless, finishReason: 'length' };
    const first = await gatewayTo(() => long);
    await expect(behind(first.gateway.answer(first.call(), never))).rejects.toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringContaining('length limit of 100 tokens was used up in reasoning'),
    });
    const later = await gatewayTo([words, long]);
    await later.gateway.answer(later.call(), never);
    expect(await later.gateway.answer(later.call({ sample: 1 }), never)).toMatchObject({
      message: { content: '' },
      finishReason: 'length',
      reasoning: 'I think it is left.',
    });
  });

  it('is what a policy does that has spoken, and ends its turn at once whenever the call is asked', async () => {
    const ended: Reply = { content: '', usage: { prompt_tokens: 10, completion_tokens: 1 } };
    const { gateway, endpoint, call, store } = await gatewayTo((_, number) => (number === 1 ? words : ended));
    await gateway.answer(call(), never);
    expect((await behind(gateway.answer(call({ sample: 1 }), never))).message).toMatchObject({ content: '' });
    expect(endpoint.requests.length).toBe(4);
    expect(await store.unusable.lines('run-1')).toMatchObject([{ reason: 'wordless', calls: 2 }]);
    const first = await gatewayTo(() => ended);
    await expect(behind(first.gateway.answer(first.call(), never))).rejects.toMatchObject({ kind: 'Model.Setup' });
  });

  it('is what a candidate does that a training has taught silence: its evaluation ends, and says so', async () => {
    const ended: Reply = { content: '', usage: { prompt_tokens: 10, completion_tokens: 1 } };
    const candidate = await gatewayTo(() => ended, { run: { id: 'improvement/round-1/evaluate' } });
    expect((await candidate.gateway.answer(candidate.call(), never)).message).toMatchObject({ content: '' });
    const start = await gatewayTo(() => ended, { run: { id: 'improvement/round-0/evaluate' } });
    await expect(behind(start.gateway.answer(start.call(), never))).rejects.toMatchObject({ kind: 'Model.Setup' });
    const lost = await gatewayTo(() => wordless, { run: { id: 'improvement/round-1/evaluate' } });
    await expect(behind(lost.gateway.answer(lost.call(), never))).rejects.toMatchObject({ kind: 'Model.Setup' });
  });

  it('is an answer like others where it is asked for anew, once the model has spoken', async () => {
    const { gateway, call } = await gatewayTo([words, wordless]);
    const score = { role: 'prm', purpose: 'score' } as const;
    await gateway.answer(call(score), never);
    expect((await gateway.answer(call({ ...score, ask: 1 }), never)).message.content).toBe('');
  });

  it('is a refusal where the server says so', async () => {
    const { gateway, call } = await gatewayTo([{ content: '', finishReason: 'content_filter' }]);
    expect((await gateway.answer(call(), never)).finishReason).toBe('content_filter');
  });

  it('may consist of calls of tools that nobody offered', async () => {
    const toolCalls = [{ id: 'x', type: 'function' as const, function: { name: 'go', arguments: '{}' } }];
    const { gateway, call } = await gatewayTo(() => ({ toolCalls, finishReason: 'tool_calls' }));
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringContaining('calls tools, though none was offered'),
    });
  });
});

describe('something else than an answer', () => {
  it.each([
    ['a page', { body: '<html><h1>Sign in</h1></html>' }, 'Sign in'],
    [
      'a stream',
      { body: 'data: {"x":1}\n\ndata: [DONE]', headers: { 'content-type': 'text/event-stream' } },
      'data: {"x":1}',
    ],
    ['a page as text', { body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } }, 'Sign in'],
  ])('%s is quoted, and soon given up', async (_what, reply, said) => {
    const { gateway, endpoint, call, store } = await gatewayTo(() => reply as Reply, { maxFaults: 20 });
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.Setup',
      message: expect.stringContaining(said),
      remedy: expect.stringContaining('/v1'),
    });
    expect(endpoint.requests.length).toBe(5);
    expect(await store.unusable.lines('run-1')).toEqual([]);
    expect((await store.reservations.use({ runId: 'run-1', taskId: null, stepId: null }, 'run')).calls).toBe(0);
  });

  it('an error in a 200 is the fault of the status that it means', async () => {
    const { gateway, call } = await gatewayTo(() => ({ body: '{"error":{"message":"No such model","code":404}}' }));
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.NotServed',
      message: expect.stringMatching(/404.*No such model/),
    });
  });

  it('a key in the words of the server is shown nowhere', async () => {
    process.env.UNUSABLE_KEY = 'abcdefgh-ijklmnop';
    const { gateway, call, store } = await gatewayTo(() => ({ body: `<p>Bad key abcdefgh-ijklmnop</p>` }), {
      apiKeyEnv: 'UNUSABLE_KEY',
      keyHeader: 'authorization',
    });
    const error = await gateway.answer(call(), never).catch((thrown: Error) => thrown);
    expect(String((error as Error).message)).toContain('Bad key [key]');
    const rows = await store.database.kysely.selectFrom('unusable_answers').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain('ijklmnop');
  });
});

describe('ceilings', () => {
  it('hold over answers of no use', async () => {
    const { gateway, endpoint, call } = await gatewayTo(() => cut, { run: { ceilings: { calls: 3 } } });
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({ kind: 'Run.Budget' });
    expect(endpoint.requests.length).toBe(3);
  });

  it('hold the worst case of one whose use was not told', async () => {
    const { gateway, store, call } = await gatewayTo([{ ...cut, usage: null }, words], {
      run: { ceilings: ceilingsFrom({ tokens: 10_000 }) },
    });
    await gateway.answer(call(), never);
    const used = await store.reservations.use({ runId: 'run-1', taskId: null, stepId: null }, 'run');
    expect(used.calls).toBe(2);
    expect(used.tokens).toBeGreaterThan(110 + 100);
    expect(await store.unusable.lines('run-1')).toMatchObject([{ calls: 1, promptTokens: null, costMicroUsd: null }]);
  });
});

describe('the model that answered', () => {
  it('is stored with its answer', async () => {
    const { gateway, call, store } = await gatewayTo([{ model: 'org/test-model' }, { model: null }]);
    expect((await gateway.answer(call(), never)).servedModel).toBe('org/test-model');
    expect((await gateway.answer(call({ sample: 1 }), never)).servedModel).toBeNull();
    expect(await store.unusable.servedModels('run-1')).toEqual({ policy: 'org/test-model' });
  });

  it('that is another one stops the run before its answer is used, and is paid', async () => {
    const { gateway, endpoint, call, store } = await gatewayTo(() => ({ model: 'other-model' }));
    await expect(behind(gateway.answer(call(), never))).rejects.toMatchObject({
      kind: 'Model.Identity',
      message: expect.stringMatching(/"test-model".*"other-model"/),
      remedy: expect.stringContaining("models.policy.servedAs: ['other-model']"),
    });
    expect(endpoint.requests.length).toBe(1);
    expect(await ledgerLines(store.database, 'run-1')).toEqual([]);
    expect(await store.unusable.lines('run-1')).toMatchObject([{ reason: 'identity', calls: 1, costMicroUsd: 120 }]);
  });

  it('may have another name that is declared', async () => {
    const { gateway, call } = await gatewayTo(() => ({ model: 'deployment-7' }), { servedAs: ['deployment-7'] });
    expect((await gateway.answer(call(), never)).servedModel).toBe('deployment-7');
  });

  it('may not change within a run, also when another process asks', async () => {
    const { gateway, call, store, config } = await gatewayTo((_, number) => ({
      model: number === 1 ? 'test-model-2024-08-06' : 'test-model-2024-11-20',
    }));
    await gateway.answer(call(), never);
    const changed = {
      kind: 'Model.Identity',
      message: expect.stringMatching(/run-1.*"test-model-2024-08-06".*"test-model-2024-11-20"/),
    };
    await expect(behind(gateway.answer(call({ sample: 1 }), never))).rejects.toMatchObject(changed);
    const { Gateway } = await import('../../src/models/gateway.ts');
    const other = new Gateway(store, { models: config });
    await expect(other.answer(call({ sample: 1 }), never)).rejects.toMatchObject({ ...changed, kind: 'Run.Blocked' });
  });

  it('of another run that is read from is not mixed with this one', async () => {
    const first = await gatewayTo([{ model: 'test-model-2024-08-06' }]);
    await first.gateway.answer(first.call(), never);
    const second = await gatewayTo(() => ({ model: 'test-model-2024-11-20' }), {
      store: first.store,
      run: { id: 'run-2', reuse: ['run-1'] },
    });
    await second.gateway.answer(second.call({ sample: 1 }), never);
    await expect(behind(second.gateway.answer(second.call(), never))).rejects.toMatchObject({ kind: 'Model.Identity' });
  });
});

describe('reasoning', () => {
  const thinks = (reasoning?: 'apart' | 'text' | 'member') => {
    const { models } = runConfig();
    return { run: { config: { models: { ...models, policy: { ...models.policy, reasoning } } } } };
  };
  const thought: Reply = { content: '<think>Action: submit?</think>\nAction: go' };

  it('in the text is told apart, kept with the answer, and sent back as the role says', async () => {
    for (const how of ['apart', 'text', 'member'] as const) {
      const { gateway, endpoint, call } = await gatewayTo([thought, words], thinks(how));
      const { message, reasoning } = await gateway.answer(call(), never);
      expect(reasoning).toBe('Action: submit?');
      expect(message).toEqual({
        role: 'assistant',
        content: 'Action: go',
        ...(how !== 'apart' && { reasoning_content: 'Action: submit?' }),
      });
      await gateway.answer({ ...call({ sample: 1 }), messages: [{ role: 'user', content: 'x' }, message] }, never);
      expect(endpoint.requests[1]!.body.messages[1]).toEqual(
        {
          apart: { role: 'assistant', content: 'Action: go' },
          text: { role: 'assistant', content: '<think>\nAction: submit?\n</think>\n\nAction: go' },
          member: { role: 'assistant', content: 'Action: go', reasoning_content: 'Action: submit?' },
        }[how],
      );
    }
  });

  it('in the text of a run from before stays there', async () => {
    const { gateway, call } = await gatewayTo([thought]);
    const { message, reasoning } = await gateway.answer(call(), never);
    expect(message.content).toBe(thought.content);
    expect(reasoning).toBeNull();
  });
});

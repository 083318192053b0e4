// Layer: the export on a real file system.
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { exportExamples, exportPairs, exportProcessExamples } from '../../src/export/index.ts';
import { openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { temporaryFolder } from '../helpers/store.ts';
import { example, processExample, textExample } from './example-builder.ts';
import { call, pair, say, textPair } from './pair-builder.ts';

const tokenizer = join(import.meta.dirname, '../fixtures/tokenizer');
let out: string;

beforeEach(() => {
  out = temporaryFolder();
});

const read = (name: string) => readFile(join(out, name), 'utf8');

describe('exportPairs', () => {
  it('writes rows, certificates in the same order, lint and advice, and no other file', async () => {
    const result = await exportPairs([textPair({ id: 'b', step: 3 }), pair({ id: 'a' })], {
      format: 'trl',
      out,
      force: false,
    });
    expect((await readdir(out)).sort()).toEqual([
      'certificates.jsonl',
      'lint.json',
      'pairs.jsonl',
      'training.json',
      'training.md',
    ]);
    expect(result).toMatchObject({ rows: 2, leftOut: 0 });
    const ids = (await read('pairs.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).pair_id);
    expect(ids).toEqual(['a', 'b']);
    expect((await read('certificates.jsonl')).trimEnd().split('\n')).toHaveLength(2);
    expect(JSON.parse(await read('lint.json'))).toEqual(result.lint);
    expect(JSON.parse(await read('training.json')).settings.beta).toEqual({
      value: 0.5,
      source: 'CSO (arXiv 2602.03412)',
    });
    expect(await read('training.md')).toContain('assert len(trainer.train_dataset) == 2');
  });

  it('adds the data set index for llama-factory', async () => {
    await exportPairs([pair()], { format: 'llama-factory', out, force: false });
    expect(JSON.parse(await read('dataset_info.json'))).toEqual({
      crux_pairs: {
        file_name: 'pairs.jsonl',
        formatting: 'sharegpt',
        ranking: true,
        columns: {
          messages: 'conversations',
          chosen: 'chosen',
          rejected: 'rejected',
          system: 'system',
          tools: 'tools',
        },
      },
    });
  });

  it('gives the same bytes for the same pairs in another order', async () => {
    const pairs = [pair({ id: 'a' }), textPair({ id: 'b' }), pair({ id: 'c', taskId: 'task-0' })];
    await exportPairs(pairs, { format: 'trl', out, force: false });
    const first = await Promise.all((await readdir(out)).sort().map(read));
    await exportPairs(pairs.toReversed(), { format: 'trl', out, force: true });
    expect(await Promise.all((await readdir(out)).sort().map(read))).toEqual(first);
  });

  it.each(['pairs.jsonl', 'certificates.jsonl', 'lint.json'])(
    'refuses to overwrite %s and changes nothing',
    async (name) => {
      await writeFile(join(out, name), 'mine');
      await expect(exportPairs([pair()], { format: 'trl', out, force: false })).rejects.toMatchObject({
        kind: 'Export.Exists',
      });
      expect(await readdir(out)).toEqual([name]);
      expect(await read(name)).toBe('mine');
      await exportPairs([pair()], { format: 'trl', out, force: true });
      expect(await read(name)).not.toBe('mine');
    },
  );

  it('leaves no file behind when one of them cannot be placed', async () => {
    // A folder in the place of the last file: even with force it cannot be replaced.
    await mkdir(join(out, 'pairs.jsonl'));
    await expect(exportPairs([pair()], { format: 'trl', out, force: true })).rejects.toThrow();
    expect((await readdir(out)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('makes a line only once those above it are written', async () => {
    const written = () =>
      readdirSync(out)
        .filter((name) => name.startsWith('.certificates'))
        .map((name) => statSync(join(out, name)).size);
    let above: number[] = [];
    const last = pair({ id: 'b' });
    const watched = Object.defineProperty({ ...last }, 'certificate', {
      enumerable: true,
      get() {
        above = written();
        return last.certificate;
      },
    });
    await exportPairs([pair({ id: 'a' }), watched], { format: 'trl', out, force: false });
    const [first] = (await read('certificates.jsonl')).split('\n');
    expect(above).toEqual([Buffer.byteLength(`${first}\n`)]);
  });

  it('ends with the reason of its signal, and leaves what was there', async () => {
    await exportPairs([pair({ id: 'a' })], { format: 'trl', out, force: false });
    const before = await Promise.all((await readdir(out)).sort().map(read));
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(exportPairs([pair({ id: 'b' })], { format: 'trl', out, force: true, signal })).rejects.toThrow(
      'no longer wanted',
    );
    expect(await Promise.all((await readdir(out)).sort().map(read))).toEqual(before);
  });

  it('lets one of two exports into the same folder win, whole', async () => {
    const results = await Promise.allSettled([
      exportPairs([pair({ id: 'a' })], { format: 'trl', out, force: false }),
      exportPairs([pair({ id: 'b' })], { format: 'trl', out, force: false }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const row = JSON.parse(await read('pairs.jsonl'));
    expect(JSON.parse(await read('certificates.jsonl')).pairId).toBe(row.pair_id);
  });

  it.each([
    [{ format: 'parquet' }, 'User.Config'],
    [{ maxLength: 0 }, 'User.Config'],
    [{ format: 'crux-masked' }, 'User.Config'],
    [{ tokenizer: '/nowhere' }, 'User.NotFound'],
  ])('refuses %o as %s and writes nothing', async (changes, kind) => {
    await expect(exportPairs([pair()], { format: 'trl', out, force: false, ...changes })).rejects.toMatchObject({
      kind,
    });
    expect(await readdir(out)).toEqual([]);
  });

  it('reports every pair that has no row, in lint and summary', async () => {
    const result = await exportPairs([pair({ chosen: [say('')] }), pair({ id: 'pair-2' })], {
      format: 'openai',
      out,
      force: false,
    });
    expect(result).toMatchObject({ rows: 1, leftOut: 1 });
    expect(result.lint.findings).toContainEqual({
      rule: 'pair/empty-side',
      effect: 'left-out',
      itemId: 'pair-1',
      reason: 'The chosen side does not start with an assistant message that says something.',
    });
    expect(result.summary).toContain('openai: 1 row of 2 pairs');
    expect(result.summary).toContain('left-out');
    expect(result.lint.flags).toEqual({ 'verified-once': { count: 1, share: 1 } });
  });

  it('writes an empty export that says so', async () => {
    const result = await exportPairs([], { format: 'trl', out, force: false });
    expect(await read('pairs.jsonl')).toBe('');
    expect(result.lint.rules).toContainEqual({ rule: 'pair/no-rows', effect: 'warning', count: 1 });
    expect(result.lint.lengths).toBeNull();
  });
});

describe('exportExamples and exportProcessExamples', () => {
  const lines = async (name: string) =>
    (await read(name))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('write where each row comes from, in the order of the rows', async () => {
    const examples = [
      example({ id: 'b', origin: 'scripted', model: 'gold' }),
      textExample({ id: 'a', taskId: 'task-0', success: null, reward: null }),
    ];
    const result = await exportExamples(examples, { format: 'trl-sft', out, force: false });
    expect((await readdir(out)).sort()).toEqual([
      ...['examples.jsonl', 'lint.json', 'sources.jsonl', 'training.json', 'training.md'],
    ]);
    expect((await lines('examples.jsonl')).map(({ example_id }) => example_id)).toEqual(['a', 'b']);
    expect((await lines('sources.jsonl')).map(({ id, origin }) => `${id} ${origin}`)).toEqual([
      'a expert',
      'b scripted',
    ]);
    expect(result.lint).toMatchObject({ kind: 'example', items: 2, rows: 2, authorship: null });
    expect(result.lint.flags).toEqual({
      oracle: { count: 1, share: 0.5 },
      'origin-expert': { count: 1, share: 0.5 },
      'origin-scripted': { count: 1, share: 0.5 },
      'success-unknown': { count: 1, share: 0.5 },
    });
    expect(await read('training.md')).toContain('2 rows of 2 examples');
    expect(await read('training.md')).toContain('training scripts published with ETO');
  });

  it('give the same bytes for the same items in another order', async () => {
    const actions = [processExample({ id: 'a' }), processExample({ id: 'b', step: 1 }), processExample({ id: 'c' })];
    await exportProcessExamples(actions, { format: 'prm', out, force: false });
    const first = await Promise.all((await readdir(out)).sort().map(read));
    expect((await lines('actions.jsonl')).map(({ action_id }) => action_id)).toEqual(['b', 'a', 'c']);
    await exportProcessExamples(actions.toReversed(), { format: 'prm', out, force: true });
    expect(await Promise.all((await readdir(out)).sort().map(read))).toEqual(first);
  });

  it('keep the weights of actions beside rows that cannot hold them', async () => {
    await exportProcessExamples([processExample()], { format: 'trl-prm', out, force: false });
    expect((await lines('sources.jsonl'))[0]).toMatchObject({ id: 'action-1', weight: 20, rollouts: 4, outcome: 0.75 });
    const { rules } = JSON.parse(await read('lint.json'));
    expect(rules.map(({ rule }: { rule: string }) => rule)).toContain('trl-prm/weights-unused');
  });

  it('refuse a format of another kind and say which there are', async () => {
    await expect(exportExamples([example()], { format: 'trl', out, force: false })).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringContaining('made of pairs'),
      remedy: expect.stringContaining('trl-sft, llama-factory-sft'),
    });
    expect(await readdir(out)).toEqual([]);
  });

  it('report rows that repeat the text of another one', async () => {
    const { lint } = await exportExamples([example({ id: 'a' }), example({ id: 'b' })], {
      format: 'agentgym',
      out,
      force: false,
    });
    expect(lint.rules).toContainEqual({ rule: 'example/same-text', effect: 'warning', count: 1 });
  });
});

describe('token lengths', () => {
  it('counts with the tokenizer of the target, and says so', async () => {
    const plain = textPair({ prompt: [{ role: 'user', content: 'hi' }], chosen: [say('yes')], rejected: [say('no')] });
    const { lint } = await exportPairs([plain], { format: 'trl', out, force: false, tokenizer });
    // A byte a token: <|start|> user \n hi <|end|> \n = 10, <|start|> assistant \n = 11; the side adds "yes", <|end|> and \n.
    expect(lint.lengths).toEqual({
      measuredBy: 'tokenizer',
      prompt: { median: 21, p95: 21, max: 21 },
      side: { median: 5, p95: 5, max: 5 },
      total: { median: 26, p95: 26, max: 26 },
    });
  });

  it('says that it estimates without one', async () => {
    const { lint, summary } = await exportPairs([pair()], { format: 'trl', out, force: false });
    expect(lint.lengths!.measuredBy).toBe('estimate');
    expect(summary).toContain('estimated');
  });

  it('reports rows that the target would drop at the stated limit, and keeps them', async () => {
    const { lint, rows } = await exportPairs([textPair()], {
      format: 'trl',
      out,
      force: false,
      tokenizer,
      maxLength: 50,
    });
    expect(rows).toBe(1);
    expect(lint.dropped).toBe(1);
    expect(lint.rules).toContainEqual({ rule: 'trl/prompt-too-long', effect: 'dropped', count: 1 });
  });

  it('leaves rows that the target would drop out if it is told to, with the reason, where their tokens are counted', async () => {
    const given = { format: 'trl', out, force: true, maxLength: 50, tooLong: 'leave-out' } as const;
    const { lint, rows, leftOut } = await exportPairs([textPair()], { ...given, tokenizer });
    expect({ rows, leftOut, dropped: lint.dropped, lengths: lint.lengths }).toEqual({
      ...{ rows: 0, leftOut: 1, dropped: 0, lengths: null },
    });
    expect(lint.findings[0]).toMatchObject({
      rule: 'trl/prompt-too-long',
      effect: 'left-out',
      reason: expect.stringContaining('at max_length 50'),
    });
    // An estimate may be wrong.
    const long = textPair({ prompt: [{ role: 'user', content: 'Count users. '.repeat(100) }] });
    expect((await exportPairs([long], given)).lint).toMatchObject({ rows: 1, dropped: 1 });
  });

  it('names no limit as one', async () => {
    const long = textPair({ prompt: [{ role: 'user', content: 'Count users. '.repeat(2_000) }] });
    const rules = async (maxLength: number | null | undefined) =>
      (await exportPairs([long], { format: 'trl', out, force: true, maxLength })).lint.rules.map(({ rule }) => rule);
    expect(await rules(undefined)).toContain('trl/prompt-too-long');
    expect(await rules(null)).not.toContain('trl/prompt-too-long');
  });

  it('suggests a max_length under which nothing is dropped or cut', async () => {
    const pairs = [textPair(), pair({ id: 'pair-2' })];
    await exportPairs(pairs, { format: 'trl', out, force: false, tokenizer, maxLength: 50 });
    const maxLength = JSON.parse(await read('training.json')).settings.max_length.value;
    const { lint } = await exportPairs(pairs, { format: 'trl', out, force: true, tokenizer, maxLength });
    expect(lint.rules.filter(({ effect }) => effect === 'dropped' || effect === 'truncated')).toEqual([]);
  });

  it('measures arguments that are no JSON where the rows hold them as text', async () => {
    const { rows, lint } = await exportPairs([pair({ rejected: [call('{"q":')] })], {
      format: 'trl',
      out,
      force: false,
      tokenizer,
      argumentsAs: 'text',
    });
    expect(rows).toBe(1);
    expect(lint.lengths).not.toBeNull();
    expect(lint.rules.map(({ rule }) => rule)).toContain('trl/arguments-as-text');
  });

  it('leaves out what the chat template refuses, and reports a template that rewrites the prompt', async () => {
    const folder = join(out, 'model');
    await mkdir(folder);
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await writeFile(join(folder, name), await readFile(join(tokenizer, name)));
    // A template that strips the prompt's last message once an answer follows, and refuses system messages.
    await writeFile(
      join(folder, 'chat_template.jinja'),
      `{%- for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}{{ message.role }}{% if loop.last or messages|length == 1 %}{{ message.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}assistant{% endif %}`,
    );
    expect(openTokenizer(folder).render([{ role: 'user', content: 'x' }], [], true)).toBe('userxassistant');
    const user = { role: 'user' as const, content: 'hi' };
    const { lint } = await exportPairs([textPair({ id: 'a', prompt: [user] }), textPair({ id: 'b' })], {
      format: 'trl',
      out: join(out, 'export'),
      force: false,
      tokenizer: folder,
    });
    expect(lint.findings.map(({ rule, itemId }) => `${itemId} ${rule}`)).toEqual([
      'a trl/prompt-not-prefix',
      'b pair/template-refuses',
    ]);
    expect(lint.findings[1]!.reason).toContain('no system role');
  });
});

// Layer: chat templates against a stand-in for a model's server over HTTP, with real tokenizers from folders.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { silent } from '../../src/observe/log.ts';
import { checkTemplate, findTokenizer } from '../../src/training/chat-template.ts';
import { temporaryFolder } from '../helpers/store.ts';
import { endpointAt } from './endpoint-at.ts';
import { type Faults, StandIn } from './stand-in-server.ts';

const { signal } = new AbortController();
const model = { name: 'crux-a-r1-0123abcd', root: 'a-folder', hash: '0'.repeat(64) };
const fixture = join(import.meta.dirname, '../fixtures/tokenizer');
const template = JSON.parse(readFileSync(join(fixture, 'tokenizer_config.json'), 'utf8')).chat_template as string;

/** The tests' tokenizer, a byte a token, with another template or another token before texts. */
function tokenizer(changed = template, bos: string | null = null) {
  const folder = temporaryFolder();
  copyFileSync(join(fixture, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const config = { tokenizer_class: 'PreTrainedTokenizerFast', bos_token: bos, chat_template: changed };
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return openTokenizer(folder);
}

const ways = ['tokenize', 'apply-template', 'usage'] as const;

async function compared(
  served: ReturnType<typeof tokenizer>,
  tells: NonNullable<Faults['chats']>['tells'],
  trained = tokenizer(),
  options: Partial<Parameters<typeof checkTemplate>[3]> = {},
) {
  const standIn = new StandIn({ chats: { tokenizer: served, tells } });
  await standIn.start();
  return checkTemplate(endpointAt(standIn.port), model, trained, { signal, ...options });
}

it.each(ways)('a server with the trainer’s template passes, told by %s', async (tells) => {
  expect(await compared(tokenizer(), tells)).toBe(tells === 'usage' ? 'same-length' : 'same');
});

it.each(ways)('a template that differs is refused, told by %s', async (tells) => {
  const words =
    tells === 'usage'
      ? /has "\d+ tokens", the server "\d+ tokens"/
      : /after ".*system\\n" the trainer has "You buy.*", the server "Today: You/;
  await expect(
    compared(tokenizer(template.replace('{{- message.content }}', "{{- 'Today: ' + message.content }}")), tells),
  ).rejects.toMatchObject({
    kind: 'Serve.NotTheModel',
    message: expect.stringMatching(words),
    remedy: expect.stringContaining('chat template'),
  });
});

it('a template without the prompt for an answer is refused', async () => {
  const without = template.slice(0, template.indexOf('{%- if add_generation_prompt'));
  await expect(compared(tokenizer(without), 'tokenize')).rejects.toThrow(/the trainer has "<\|start\|>assistant/);
});

it('one that differs only where a chat has no system message is refused', async () => {
  const greeting = `{%- if messages[0].role != 'system' %}<|start|>system\nYou help.<|end|>\n{% endif %}${template}`;
  await expect(compared(tokenizer(greeting), 'apply-template')).rejects.toThrow(/has ".*user.*", the server ".*system/);
});

it('a token before the text is no alarm, added or doubled, and is told', async () => {
  const [once, twice] = [`<|end|>${template}`, `<|end|><|end|>${template}`];
  const trained = (text: string) => tokenizer(text, '<|end|>');
  for (const tells of ways) {
    expect(await compared(tokenizer(once), tells, trained(template))).toBe('other-start');
    expect(await compared(tokenizer(twice), tells, trained(once))).toBe('other-start');
  }
});

it('a template that prints the day is compared but for the day, and not by its length', async () => {
  const dated = (day: string) => tokenizer(`<|start|>Today is ${day}.<|end|>\n${template}`);
  const trained = dated('{{ strftime_now("%d %B %Y") }}');
  for (const day of ['01 Dec 2026', '2026-12-01', 'December 1, 2026'])
    expect(await compared(dated(day), 'tokenize', trained)).toBe('same');
  await expect(compared(tokenizer(), 'tokenize', trained)).rejects.toThrow(/the trainer has ".*<day>/);
  expect(await compared(dated('1 May 2026'), 'usage', trained)).toBe('not-compared');
});

it('a template that refuses a system role is compared by the other chats, or by folded ones', async () => {
  const refusing = tokenizer(`{%- if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}${template}`);
  expect(await compared(tokenizer(), 'tokenize', refusing)).toBe('same');
  const other = tokenizer(template.replace('<|start|>{{ message.role }}', '<|start|> {{ message.role }}'));
  await expect(compared(other, 'tokenize', refusing, { isFolded: true })).rejects.toThrow(/the server/);
});

it('a switch of the template that requests give is given to both', async () => {
  const switched = tokenizer(`${template}{% if enable_thinking is false %}no thoughts{% endif %}`);
  const more = { enable_thinking: false };
  expect(await compared(switched, 'tokenize', switched, { more })).toBe('same');
  await expect(compared(tokenizer(), 'tokenize', switched, { more })).rejects.toThrow(/the trainer has "no thoughts"/);
});

it('the same text that is cut into other tokens is no alarm, and is told', async () => {
  const own = tokenizer();
  // Stands for two letters that another tokenizer has as one token.
  const pair = 258;
  const [y, o] = own.encode('Yo');
  const cut = (text: string) =>
    own
      .encode(text)
      .flatMap((id, at, all) => (id === o && all[at - 1] === y ? [] : id === y && all[at + 1] === o ? [pair] : [id]));
  const decode = (ids: readonly number[]) => own.decode(ids.flatMap((id) => (id === pair ? [y!, o!] : [id])));
  expect(await compared({ ...own, encode: cut }, 'tokenize', { ...own, decode })).toBe('other-tokens');
});

it('a server that tells nothing of its chats is not compared', async () => {
  const standIn = new StandIn();
  await standIn.start();
  expect(await checkTemplate(endpointAt(standIn.port), model, tokenizer(), { signal })).toBe('not-compared');
  expect([...new Set(standIn.requests)]).toEqual(['/tokenize', '/apply-template', '/chat/completions']);
});

it('the tokenizer is that of the first folder that has one with a template', () => {
  const [empty, without] = [temporaryFolder(), temporaryFolder()];
  copyFileSync(join(fixture, 'tokenizer.json'), join(without, 'tokenizer.json'));
  writeFileSync(join(without, 'tokenizer_config.json'), '{}');
  expect(findTokenizer([empty, without, fixture], silent)?.eos).toBe('<|end|>');
  expect(findTokenizer([empty, without], silent)).toBeNull();
});

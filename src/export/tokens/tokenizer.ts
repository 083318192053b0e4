import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import type { Json } from '../../domain/canonical-json.ts';
import type { Tool } from '../../domain/message.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { TemplateMessage } from '../conversation/hugging-face-messages.ts';
import { piecewise } from './piecewise.ts';
import { type FindSpecialToken, specialTokensOf } from './special-tokens.ts';

/** The target model's own tokenizer and chat template. */
export type ChatTokenizer = {
  /**
   * @param more further values that the template may read, as of a request's `chat_template_kwargs`
   * @throws Error if the template refuses the conversation
   */
  render(
    messages: readonly TemplateMessage[],
    tools: readonly Tool[],
    addGenerationPrompt: boolean,
    more?: { readonly [name: string]: Json },
  ): string;
  encode(text: string): number[];
  /** The text of tokens, special ones included. */
  decode(ids: readonly number[]): string;
  /** Whether the template may print the day: `render` then prints a fixed one. */
  isDated: boolean;
  /** The end-of-text token as text, which trainers look for at the end of a row; null if there is none. */
  eos: string | null;
  /** Finds text that the tokenizer or the template takes for the end or the start of a turn. */
  findSpecialToken: FindSpecialToken;
  /** The token before every text, which trainers may add once more; null if there is none. */
  bos: string | null;
};

/**
 * Opens `tokenizer.json`, `tokenizer_config.json` and, if the template has its own file, `chat_template.jinja`.
 * @throws CruxError `User.NotFound` for a missing file, `User.Config` for one that cannot be read or has no chat template
 */
export function openTokenizer(folder: string): ChatTokenizer {
  const definition = readJson(folder, 'tokenizer.json');
  const config = readJson(folder, 'tokenizer_config.json');
  const template = chatTemplate(folder, config);
  const tokenizer = attempt(folder, () => new Tokenizer(definition, config));
  // The library's own strftime_now cannot be replaced, and with today's date lengths would differ from day to day.
  const compiled = attempt(folder, () => new Template(template.replaceAll('strftime_now', 'fixed_date')));
  const specialTokens = Object.fromEntries(
    ['bos_token', 'eos_token', 'pad_token', 'unk_token'].map((name) => [name, tokenText(config[name])]),
  );
  return {
    render: (messages, tools, addGenerationPrompt, more = {}) =>
      compiled.render({
        ...more,
        ...specialTokens,
        messages,
        tools: tools.length === 0 ? null : tools,
        add_generation_prompt: addGenerationPrompt,
        fixed_date: () => '2025-01-01',
      }),
    encode: piecewise(
      (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
      [...tokenizer.get_added_tokens_decoder().values()],
      (definition.normalizer ?? null) !== null,
    ),
    decode: (ids) => tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    isDated: /strftime_now|date_string/.test(template),
    eos: tokenText(config.eos_token),
    bos: tokenText(config.bos_token),
    findSpecialToken: specialTokensOf(definition, config, template),
  };
}

function readJson(folder: string, name: string): { [key: string]: unknown } {
  const path = join(folder, name);
  if (!existsSync(path)) {
    throw new CruxError('User.NotFound', `The tokenizer folder has no ${name}: ${folder}`, {
      remedy: 'Name the folder of the model to be trained, with tokenizer.json and tokenizer_config.json in it.',
    });
  }
  return attempt(folder, () => JSON.parse(readFileSync(path, 'utf8')) as { [key: string]: unknown });
}

function chatTemplate(folder: string, config: { [key: string]: unknown }): string {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const value = config.chat_template;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const named = value as { name?: unknown; template?: unknown }[];
    const chosen = named.find((entry) => entry.name === 'default') ?? named[0];
    if (typeof chosen?.template === 'string') return chosen.template;
  }
  throw new CruxError('User.Config', `The tokenizer in ${folder} has no chat template`, {
    remedy: 'Use the folder of an instruction-tuned model, or put a chat_template.jinja into it.',
  });
}

/** A special token is written as text or as an object with its text as `content`. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

function attempt<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CruxError('User.Config', `The tokenizer in ${folder} cannot be read: ${errorText(error)}`, {
      cause: error,
    });
  }
}

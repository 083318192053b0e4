/**
 * Texts that the target's tokenizer reads as special tokens. In a model's answer, an observation or a tool's description they end a turn and begin
 * another one, so that training learns from turns that never were. With the tokenizer, its own special tokens count, and names of turns in its chat
 * template; without it, all known names of such tokens.
 */

/** The first special token in a text; null if there is none. */
export type FindSpecialToken = (text: string) => string | null;

/** Special tokens of the models that people train, by family. */
const families = [
  // ChatML, Qwen, Llama 3 and 4, Phi, GLM, Cohere, Granite, Kimi, gpt-oss, and most others: `<|im_end|>`, `<|eot_id|>`, `<|START_OF_TURN_TOKEN|>`.
  '<\\|[^\\s<>|]{1,64}\\|>',
  // Gemma 4: `<|turn>` … `<turn|>`.
  '<\\|(?:turn|channel|tool|tool_call|tool_response|think|image|audio)>',
  '<(?:turn|channel|tool|tool_call|tool_response|image|audio)\\|>',
  // DeepSeek: `<｜end▁of▁sentence｜>`.
  '<｜[^\\s<>｜]{1,64}｜>',
  // EXAONE: `[|endofturn|]`.
  '\\[\\|[A-Za-z_]{1,32}\\|\\]',
  // Llama 2 and Mistral, and sentence ends of SentencePiece.
  '</?s>',
  '<</?SYS>>',
  '\\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CONTENT|TOOL_CALLS|MODEL_SETTINGS|THINK)\\]',
  // Gemma 1 to 3.
  '<(?:bos|eos|pad|unk)>',
  '<(?:start|end)_of_(?:turn|image)>',
  '<(?:start|end)_function_(?:call|response|declaration)>',
  // ChatGLM, InternLM, MiniMax, T5, Baichuan, Nemotron.
  '\\[[gs]MASK\\]',
  '<(?:sop|eop|eoh|eoa|eom|eod|TOKENS_UNUSED_\\d+)>',
  '\\]~b\\]',
  '\\[e~\\[',
  '<(?:extra_id|reserved|SPECIAL)_\\d+>',
  '<unused_?\\d+>',
];

/** By the known names. */
export const findKnownSpecialToken: FindSpecialToken = finder(new RegExp(families.join('|'), 'u'));

/** Tokens that a model writes inside its own turn: they forge no turn. */
const ofOneTurn: ReadonlySet<string> = new Set(['<think>', '</think>', '<tool_call>', '</tool_call>']);

type AddedToken = { content: string; special?: boolean };

/**
 * By a tokenizer.
 * @param definition `tokenizer.json` @param config `tokenizer_config.json` @param template of the chat
 */
export function specialTokensOf(
  definition: { [key: string]: unknown },
  config: { [key: string]: unknown },
  template: string,
): FindSpecialToken {
  const added = [
    ...((definition.added_tokens as AddedToken[] | undefined) ?? []),
    ...Object.values((config.added_tokens_decoder as { [id: string]: AddedToken } | undefined) ?? {}),
  ].filter(({ special }) => special === true);
  const named = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
  const additional = config.additional_special_tokens;
  const others = [...named.map((name) => config[name]), ...(Array.isArray(additional) ? additional : [])];
  const texts = [
    ...added.map(({ content }) => content),
    ...others.map((token) => (typeof token === 'string' ? token : (token as AddedToken | null | undefined)?.content)),
    // A template may write names that are plain text to its tokenizer, such as Llama 2's [INST]. They still separate its turns.
    ...(template.match(new RegExp(families.join('|'), 'gu')) ?? []),
  ];
  const all = new Set(
    texts.filter((text): text is string => typeof text === 'string' && text.trim() !== '' && !ofOneTurn.has(text)),
  );
  if (all.size === 0) return () => null;
  // The longest first, so that a match is the whole token and not the start of another one.
  const inOrder = [...all].sort((one, other) => other.length - one.length || (one < other ? -1 : 1));
  return finder(new RegExp(inOrder.map(RegExp.escape).join('|'), 'u'));
}

function finder(pattern: RegExp): FindSpecialToken {
  return (text) => pattern.exec(text)?.[0] ?? null;
}

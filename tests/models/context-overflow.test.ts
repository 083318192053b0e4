// Layer: pure: what servers say when a request does not fit, in their own words.
import { describe, expect, it } from 'vitest';
import { contextOverflow } from '../../src/models/context-overflow.ts';

describe('a conversation that does not fit', () => {
  it.each([
    ['OpenAI', "This model's maximum context length is 4097 tokens. However, your messages resulted in 13393 tokens."],
    ['OpenAI', 'Your input exceeds the context window of this model. Please adjust your input and try again.'],
    ['OpenAI', 'Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.'],
    [
      'vLLM',
      "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion).",
    ],
    [
      'vLLM',
      "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please reduce the length of the input messages.",
    ],
    ['vLLM', 'max_tokens must be at least 1, got -186.'],
    ['vLLM', 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.'],
    ['SGLang', "The input (5000 tokens) is longer than the model's context length (4096 tokens)."],
    ['SGLang', 'Input length (5000 tokens) exceeds the maximum allowed length (4096 tokens).'],
    [
      'llama.cpp',
      'the request exceeds the available context size, try increasing it {"type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}',
    ],
    ['llama.cpp', 'request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it'],
    ['llama-cpp-python', 'Requested tokens (2285) exceed context window of 2048'],
    ['Ollama', 'the input length exceeds the context length'],
    [
      'Mistral',
      'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
    ],
    ['Gemini', 'The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).'],
    ['Anthropic', 'prompt is too long: 210000 tokens > 200000 maximum'],
    ['LiteLLM', 'litellm.ContextWindowExceededError: litellm.BadRequestError: too many tokens'],
    ['TGI', 'Input validation error: `inputs` must have less than 1024 tokens. Given: 1872'],
    [
      'TGI',
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1512. Given: 2000 `inputs` tokens and 1024 `max_new_tokens`',
    ],
    ['transformers', 'Input length of input_ids is 5000, but `max_length` is set to 4096.'],
    [
      'OpenRouter',
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 41000 tokens (40000 of text input, 1000 in the output).",
    ],
    ['xAI', "This model's maximum prompt length is 131072 but the request contains 537812 tokens."],
    ['Moonshot', 'Invalid request: Your request exceeded model token limit: 131072'],
    [
      'LM Studio',
      'Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens',
    ],
  ])('is told by %s: %s', (_server, said) => {
    const overflow = contextOverflow(said);
    expect(overflow).not.toBeNull();
    expect(overflow!.fitsAlone).not.toBe(true);
  });
});

describe('an answer that does not fit beside its conversation', () => {
  it.each([
    [
      'vLLM',
      "This model's maximum context length is 6048 tokens. However, you requested 6616 tokens (568 in the messages, 6048 in the completion).",
    ],
    [
      'vLLM',
      "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 'max_tokens'. Please reduce one or the other.",
    ],
    [
      'vLLM',
      "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum context length is 4096 tokens and your request has 300 input tokens (8000 > 4096 - 300).",
    ],
    [
      'SGLang',
      "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 5000 tokens: 3000 tokens from the input messages and 2000 tokens for the completion.",
    ],
    [
      'OpenAI',
      "This model's maximum context length is 4,096 tokens. However, you requested 4,222 tokens (1,222 in the messages, 3,000 in the completion).",
    ],
    [
      'OpenAI',
      'max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.',
    ],
    [
      'Anthropic',
      'input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000, decrease input length or `max_tokens` and try again',
    ],
    ['Anthropic', 'max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens'],
    [
      'TGI',
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1512. Given: 1000 `inputs` tokens and 1024 `max_new_tokens`',
    ],
    [
      'OpenRouter',
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 33100 tokens (332 of text input, 32768 in the output).",
    ],
    [
      'OpenAI',
      'Request too large for gpt-4 in organization org-1 on tokens per min (TPM): Limit 10000, Requested 15000.',
    ],
  ])('is told by %s: %s', (_server, said) => {
    expect(contextOverflow(said)).toEqual({ fitsAlone: true });
  });
});

it.each([
  'temperature must be at most 2',
  'The model `gpt-5` does not exist or you do not have access to it.',
  'Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.',
  'Invalid schema for response_format',
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
])('"%s" is about something else', (said) => {
  expect(contextOverflow(said)).toBeNull();
});

/** Scoring endpoints by name: what each is sent, and where its numbers are. */
import { z } from 'zod';
import type { ScoringApi } from '../../domain/run/scoring.ts';
import type { Said, ScoringApiFacts } from './api.ts';

/** Python's NaN and Infinity are read as null (json-body.ts): the field is there, and holds no number. */
const number = z.number().nullable();
const count = z.int().min(1).nullish().catch(null);
const usage = z
  .object({ prompt_tokens: count })
  .nullish()
  .catch(null)
  .transform((told) => told?.prompt_tokens ?? null);

const pooled = z.object({
  data: z.tuple([
    z.object({ data: z.union([z.array(number).min(1), z.array(z.array(number).min(1)).min(1), number]) }),
  ]),
  usage,
});
const classified = z.object({ data: z.tuple([z.object({ probs: z.array(number).min(1) })]), usage });
const scored = z.object({ data: z.tuple([z.object({ score: number })]), usage });
const reward = z.object({
  embedding: z.array(number).min(1),
  meta_info: z.object({ prompt_tokens: count }).nullish().catch(null),
});
const predicted = z.array(z.object({ label: z.string(), score: number })).min(1);

export const scoringApis = {
  'vllm-pooling': {
    about:
      'vLLM `/pooling`, for reward models and PRMs (`--runner pooling`). Models that score each step or token give a row for each: the last row is that of the action.',
    sources: [
      'https://docs.vllm.ai/en/latest/models/pooling_models/reward/',
      'https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/pooling/pooling/protocol.py',
    ],
    path: '/pooling',
    takesText: false,
    request: ({ model, messages, raw }) => ({ model, messages, use_activation: !raw }),
    read(body) {
      const said = pooled.safeParse(body).data;
      if (!said) return null;
      const { data } = said.data[0];
      const last = Array.isArray(data) ? data.at(-1)! : data;
      const numbers = Array.isArray(last) ? last : Array.isArray(data) ? (data as (number | null)[]) : [last];
      return { numbers, promptTokens: said.usage };
    },
  },
  'vllm-classify': {
    about:
      'vLLM `/classify`, for models with a classification head: a probability for each class, sigmoid if there is one class.',
    sources: [
      'https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/pooling/classify/protocol.py',
      'https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/pooler/activations.py',
    ],
    path: '/classify',
    takesText: false,
    request: ({ model, messages, raw }) => ({ model, messages, use_activation: !raw }),
    read: readClasses,
  },
  'vllm-score': {
    about: 'vLLM `/score`, for cross-encoders: the conversation is the first text, the action the second.',
    sources: ['https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/pooling/scoring/protocol.py'],
    path: '/score',
    takesText: true,
    request: ({ model, pair, raw }) => ({
      model,
      text_1: pair.conversation,
      text_2: pair.action,
      use_activation: !raw,
    }),
    read(body) {
      const said = scored.safeParse(body).data;
      return said ? { numbers: [said.data[0].score], promptTokens: said.usage } : null;
    },
  },
  'sglang-classify': {
    about:
      'SGLang `/v1/classify` (`--is-embedding`): text only, always softmax. With one class, and after an error of its own, it answers the probability 1, which says nothing.',
    sources: [
      'https://docs.sglang.io/supported_models/classify_models.html',
      'https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/entrypoints/openai/serving_classify.py',
    ],
    path: '/v1/classify',
    takesText: true,
    request: ({ model, text }) => ({ model, input: text }),
    read: readClasses,
  },
  'sglang-reward': {
    about: 'SGLang `/classify` (`--is-embedding`), for reward models: text only, the number as the model gives it.',
    sources: [
      'https://docs.sglang.io/basic_usage/native_api.html',
      'https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/entrypoints/http_server.py',
    ],
    path: '/classify',
    takesText: true,
    request: ({ model, text }) => ({ model, text }),
    read(body) {
      const said = reward.safeParse(Array.isArray(body) ? body[0] : body).data;
      return said ? { numbers: said.embedding, promptTokens: said.meta_info?.prompt_tokens ?? null } : null;
    },
  },
  'tei-predict': {
    about:
      'text-embeddings-inference `/predict`, for encoders with a classification head: text only, classes by label, likeliest first. Unless told otherwise it cuts long texts, the action first.',
    sources: [
      'https://github.com/huggingface/text-embeddings-inference/blob/main/router/src/http/types.rs',
      'https://github.com/huggingface/text-embeddings-inference/blob/main/router/src/http/server.rs',
    ],
    path: '/predict',
    takesText: true,
    request: ({ text, raw }) => ({ inputs: text, raw_scores: raw, truncate: false }),
    read(body, promptTokens) {
      const said = predicted.safeParse(body).data;
      if (!said) return null;
      return { numbers: said.map(({ score }) => score), labels: said.map(({ label }) => label), promptTokens };
    },
  },
} as const satisfies { [name in ScoringApi]: ScoringApiFacts };

function readClasses(body: unknown): Said | null {
  const said = classified.safeParse(body).data;
  return said ? { numbers: said.data[0].probs, promptTokens: said.usage } : null;
}

export function scoringApiOf(name: ScoringApi): ScoringApiFacts {
  return scoringApis[name];
}

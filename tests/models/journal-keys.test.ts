// Layer: pure: the keys of calls, held to those of the version before requests could be shaped.
import { describe, expect, it } from 'vitest';
import type { RoleSettings } from '../../src/domain/run/run-config.ts';
import { callKey } from '../../src/models/gateway.ts';
import type { ModelCall } from '../../src/models/model-call.ts';
import { seedOf } from '../../src/models/seed.ts';
import type { Run } from '../../src/store/runs.ts';
import { runConfig } from '../helpers/store.ts';
import { modelCall } from './gateway-builder.ts';

const run = { id: 'run-1', seed: 7, config: runConfig() } as Run;

const called = {
  role: 'assistant' as const,
  content: null,
  tool_calls: [{ id: 'call_1_0', type: 'function' as const, function: { name: 'go', arguments: '{"door":"left"}' } }],
};

const calls: { [what: string]: ModelCall } = {
  'a policy that explores': modelCall(run),
  'an expert that proposes, with top_p and members of its own': modelCall(
    shaped({ topP: 0.9, extraBody: { top_k: 5, max_tokens: 64 } }),
    { role: 'expert', purpose: 'propose', stream: '', sample: 2, ask: 1 },
  ),
  'a second step with a tool call': {
    ...modelCall(run, { nodeId: 'node-2', purpose: 'verify', stream: 'node-1/c/0' }),
    messages: [
      { role: 'system', content: 'Find the way.' },
      { role: 'user', content: 'Two doors.' },
      called,
      { role: 'tool', tool_call_id: 'call_1_0', content: 'A wall.' },
    ],
    tools: [{ type: 'function', function: { name: 'go', description: 'Go.', parameters: { type: 'object' } } }],
    step: 2,
  },
  'a judge that answers with JSON': {
    ...modelCall(run, { role: 'prm', purpose: 'score', stream: '' }),
    responseFormat: { type: 'json_schema', json_schema: { name: 'score', schema: { type: 'object' } } },
  },
};

/** As the version of before made them. */
const recorded: { [what: string]: { key: string; seed: number } } = {
  'a policy that explores': { key: '0be511005ddde000fbbb81625b56480f', seed: 446957717 },
  'an expert that proposes, with top_p and members of its own': {
    key: '872d06ef822221c2c7b7b6a1f798e90b',
    seed: 2084857115,
  },
  'a second step with a tool call': { key: '123eca764cb26274b90f6db94725cda8', seed: 2087616896 },
  'a judge that answers with JSON': { key: '7b949b8a63b50df38d7aafb262c339d2', seed: 151020280 },
};

function shaped(changes: Partial<RoleSettings>): Run {
  const { models } = run.config;
  return { ...run, config: runConfig({ models: { ...models, expert: { ...models.expert!, ...changes } } }) };
}

describe('the key and the seed of', () => {
  it.each(Object.keys(calls))('%s are what they were, to the byte', (what) => {
    const key = callKey(calls[what]!);
    expect({ key, seed: seedOf(7, key) }).toEqual(recorded[what]);
  });
});

#!/usr/bin/env node
/**
 * A stand-in for llama-server: its command line, its routes and its words, over a file that gguf-python.js wrote. `--fault old-weights` has it answer as an
 * untrained model does, `--fault no-logprobs` without log-probabilities.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { baseWeights, logProbabilities } from '../table-model.ts';

const number = { type: 'string' };
const { values } = parseArgs({
  options: {
    ...{ model: number, alias: number, host: number, port: number, parallel: number, 'ctx-size': number },
    ...{ threads: number, 'threads-batch': number, fault: number },
    'no-kv-unified': { type: 'boolean' },
  },
});
const file = JSON.parse(readFileSync(values.model, 'utf8'));
// The file may be gone when a test looks.
writeFileSync(`${values.model}.served.json`, JSON.stringify({ ...file, values }));
const weights = values.fault === 'old-weights' ? baseWeights : file.weights;

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const [status, body] = answer(request.url, Buffer.concat(chunks).toString());
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}).listen(Number(values.port), values.host);

function answer(path, text) {
  if (path === '/health') return [200, { status: 'ok' }];
  if (path === '/v1/models')
    return [200, { object: 'list', data: [{ id: values.alias, aliases: [values.alias], owned_by: 'llamacpp' }] }];
  if (path !== '/v1/completions') return refusal(404, 'File Not Found', 'not_found_error');
  const body = JSON.parse(text);
  if (body.echo) return refusal(400, 'Only no echo is supported', 'invalid_request_error');
  const forced = [...body.grammar.matchAll(/<\[(\d+)\]>/g)].map(([, id]) => Number(id));
  const said = logProbabilities(weights, [...body.prompt, ...forced]).slice(body.prompt.length);
  const content = forced
    .slice(0, body.max_tokens)
    .map((id, index) => ({ id, token: '', bytes: [], logprob: said[index] }));
  const logprobs = values.fault === 'no-logprobs' ? null : { content };
  return [200, { object: 'text_completion', model: values.alias, choices: [{ text: '', index: 0, logprobs }] }];
}

function refusal(code, message, type) {
  return [code, { error: { code, message, type } }];
}

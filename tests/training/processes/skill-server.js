/**
 * Serves the models of `skill-trainer.js`: `node skill-server.js <folder> <name> <port> <address of the simulated models>`. It asks the simulated policy
 * of that skill, under the name of the model. It tells how it renders chats if its model has a tokenizer (skill-trainer.js, `template`).
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [folder, name, port, upstream] = process.argv.slice(2);
const { skill } = JSON.parse(readFileSync(`${folder}/skill.json`, 'utf8'));

createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/health') return answer(200, {});
  if (request.url === '/v1/models') return answer(200, { object: 'list', data: [{ id: name, root: folder }] });
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString());
  if (body.model !== name)
    return answer(404, { error: { code: 'model_not_found', message: `The model "${body.model}" does not exist.` } });
  if (request.url === '/tokenize' && existsSync(`${folder}/tokenizer.json`))
    return answer(200, { tokens: rendered(body.messages) });
  const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
  const answered = await fetch(`${upstream}${request.url}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...body, model: `sim-policy@skill=${skill}` }),
  });
  const text = await answered.text();
  response.writeHead(answered.status, { 'content-type': 'application/json' });
  response.end(text.replaceAll(`sim-policy@skill=${skill}`, name));
}).listen(Number(port), '127.0.0.1');

/** By the template of tests/fixtures/tokenizer, whose tokens are bytes, and 256 and 257 the start and the end of a turn; wrong until it is mended. */
function rendered(messages) {
  const isWrong = !existsSync(`${folder}/../mended`);
  const turns = messages.map(({ role, content }) => [256, ...Buffer.from(`${role}\n${content}`), 257, 10]);
  return [...turns.flat(), 256, ...Buffer.from(isWrong ? 'answer:\n' : 'assistant\n')];
}

/**
 * Serves the models of `skill-trainer.js`: `node skill-server.js <folder> <name> <port> <address of the simulated models>`. It asks the simulated policy
 * of that skill, under the name of the model.
 */
import { readFileSync } from 'node:fs';
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

/** A server of one model of table-model.ts, as a process. Arguments: folder, name, port, and what it does wrong. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { readWeights } from '../table-model.ts';

const [root, name, port, fault] = process.argv.slice(2) as [string, string, string, string?];
appendFileSync(join(root, 'starts.txt'), `${process.pid}\n`);
writeFileSync(join(root, 'environment.json'), JSON.stringify(process.env));
if (fault === 'dies') {
  console.error(`Cannot load ${root} with ${process.env.TABLE_SERVER_TOKEN}`);
  process.exit(7);
}
if (fault === 'ignores-term') process.on('SIGTERM', () => {});
const weights = readWeights(root);
const server = createServer((request, response) => {
  const status = fault === 'never-well' ? 503 : 200;
  const id = fault === 'another-name' ? 'gpt' : name;
  const body = request.url === '/health' ? weights : { object: 'list', data: [{ id, root }] };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(Number(port), '127.0.0.1', () => console.log(`serving ${name} at ${port}`));

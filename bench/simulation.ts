/**
 * How many requests a second the simulated model server answers:
 *
 *     node bench/simulation.ts [seconds]
 *
 * The server is a process of its own (one thread, hence one core at most); the clients share the rest of the machine. Requests are the
 * three roles on the bundled SQL demo, at the conversation length of a fifth step. The figure is compared with the 1,000 requests a
 * second that keep the server out of the way of what is measured through it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDemoDataset } from '../src/environments/intercode-sql/demo/demo.ts';
import { simulationFromDataset } from '../src/simulation/from-dataset.ts';
import { startSimulation } from '../src/simulation/server.ts';

const target = 1000;
const connections = 32;

const serverFolder = process.env.CRUX_BENCH_DATASET;
if (serverFolder) await serve(serverFolder);
else await measure(Number(process.argv[2] ?? 5));

/** Answers each message with the processor time used so far, in microseconds; `close` ends it. */
async function serve(folder: string): Promise<void> {
  const simulation = await startSimulation({ seed: 1, worlds: await simulationFromDataset(folder) });
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'close') void simulation.close().then(() => process.disconnect());
    else process.send?.(user + system);
  });
  process.send?.(simulation.port);
}

async function measure(seconds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'crux-bench-'));
  const dataset = await writeDemoDataset(join(folder, 'demo'));
  const bodies = dataset.tasks.flatMap(({ db, question }) => requestBodies(db, question));
  const server = fork(import.meta.filename, { env: { ...process.env, CRUX_BENCH_DATASET: dataset.folder } });
  const [port] = (await once(server, 'message')) as [number];
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  let number = 0;
  const answerFor = async (runSeconds: number): Promise<number> => {
    const first = number;
    const end = performance.now() + runSeconds * 1000;
    const client = async () => {
      while (performance.now() < end) {
        number++;
        const body = bodies[number % bodies.length]!.replace('"seed":0', `"seed":${number}`);
        if ((await post(agent, port, body)) !== 200) throw new Error('The server refused a request of the benchmark.');
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
    return number - first;
  };
  await answerFor(1);
  const start = performance.now();
  const cpuStart = await cpuMicroseconds(server);
  const answered = await answerFor(seconds);
  const cores = ((await cpuMicroseconds(server)) - cpuStart) / 1000 / (performance.now() - start);
  const perSecond = answered / ((performance.now() - start) / 1000);
  const kilobytes = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length / 1024;
  console.log(`${Math.round(perSecond)} requests/s over ${connections} connections, ${kilobytes.toFixed(1)} kB each`);
  console.log(`${(perSecond / target).toFixed(1)} x the ${target} requests/s that it must serve`);
  console.log(`${Math.round(perSecond / cores)} requests/s per core: the server used ${cores.toFixed(2)} cores`);

  agent.destroy();
  server.send('close');
  await once(server, 'exit');
  await rm(folder, { recursive: true, force: true });
}

async function cpuMicroseconds(server: ChildProcess): Promise<number> {
  server.send('cpu');
  const [microseconds] = (await once(server, 'message')) as [number];
  return microseconds;
}

function post(agent: Agent, port: number, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request({ agent, port, method: 'POST', path: '/v1/chat/completions', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', reject).end(body);
  });
}

/** One request of each role in the state before the fifth step. */
function requestBodies(db: string, question: string): string[] {
  const turn = (query: string, observation: string) => [
    { role: 'assistant', content: `Thought: Let me see.\nAction:\n\`\`\`sql\n${query}\n\`\`\`` },
    { role: 'user', content: `Observation: ${observation}` },
  ];
  const conversation = [
    { role: 'system', content: 'You answer questions about a database with SQL. '.repeat(30) },
    { role: 'user', content: `Database: ${db}\nQuestion: ${question}` },
    ...turn('SHOW TABLES', "[('port',), ('vessel',), ('route',)]"),
    ...turn('DESCRIBE port', "[('port_id', 'int'), ('name', 'varchar(50)')]".repeat(6)),
    ...turn('SELECT * FROM port LIMIT 5', "[(1, 'Aldermouth', 'Norvane')]".repeat(8)),
    ...turn('SELECT wrong FROM port', 'Error executing query: no such column'),
  ];
  const action = { role: 'assistant', content: 'Thought: Done.\nAction: submit' };
  const scored = `<conversation>\n${JSON.stringify(conversation)}\n</conversation>\n<action>\n${JSON.stringify(action)}\n</action>`;
  const rubric = [
    { role: 'system', content: 'Score the action from 0 to 1.' },
    { role: 'user', content: scored },
  ];
  const body = (model: string, messages: object[]) => JSON.stringify({ model, messages, temperature: 1, seed: 0 });
  return [body('sim-policy', conversation), body('sim-expert', conversation), body('sim-prm', rubric)];
}

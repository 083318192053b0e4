/** Rollouts from the first states of some tasks to their endings, as methods make them to value an action: by a plain loop, and by Crux. */

import OpenAI from 'openai';
import { observationText } from '../../src/domain/observation.ts';
import type { Task } from '../../src/domain/task.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { readOpening } from '../../src/environments/opening.ts';
import { type Lab, until } from '../../tests/helpers/lab.ts';
import { type Turn, timed } from './figures.ts';

export type Continuations = {
  environment: string;
  tasks: number;
  /** Of each task, all at once. */
  rollouts: number;
};

/** What somebody would write who needs no more than the outcome. */
export async function plainLoop(lab: Lab, { environment: name, tasks, rollouts }: Continuations): Promise<Turn> {
  const { environments, models } = lab.config();
  const environment = environments.find((one) => one.name === name)!;
  const { model, temperature, maxTokens } = models.policy!;
  const client = new OpenAI({ baseURL: `${lab.simulation.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const ask = async (messages: unknown, seed: number) => {
    const request = { model, messages: messages as never, temperature, max_tokens: maxTokens, seed };
    return (await client.chat.completions.create(request)).choices[0]!.message.content;
  };
  const chosen = (await environment.tasks()).filter(({ split }) => split === 'train').slice(0, tasks);
  return timed(async () => {
    const rolled = chosen.flatMap((task) =>
      Array.from({ length: rollouts }, (_, seed) => rollOut(environment, task, (messages) => ask(messages, seed))),
    );
    return (await Promise.all(rolled)).reduce((sum, steps) => sum + steps, 0);
  });
}

/** @returns the number of steps */
async function rollOut(
  environment: Environment,
  task: Task,
  ask: (messages: unknown) => Promise<string | null>,
): Promise<number> {
  const format = agentFormat(environment, 'react');
  const never = new AbortController().signal;
  const session = await environment.open(task);
  const messages = [...format.opening((await readOpening(environment, task)).messages)];
  let [step, isOver] = [0, false];
  for (; step < environment.stepLimit && !isOver; step++) {
    const message = { role: 'assistant' as const, content: await ask(messages) };
    const [call] = format.parse(message).calls;
    if (call!.kind === 'malformed') {
      messages.push(message, ...format.observation(message, [call!.hint]));
      continue;
    }
    const { observation, done } = await session.step(call!.action, never);
    messages.push(message, ...format.observation(message, [observationText(observation)]));
    isOver = done;
  }
  await session.close?.();
  return step;
}

/** The value of each task's first state, which RRO begins with. The rest of the run is cancelled. */
export async function continuationsOfCrux(
  lab: Lab,
  { environment, tasks, rollouts }: Continuations,
  seed: number,
): Promise<Turn> {
  const before = lab.simulation.stats().requests;
  const run = await lab.start({
    method: 'rro',
    environment,
    limit: tasks,
    seed,
    options: { rollouts, draws: 2 },
    config: { run: { parallel: 200 } },
  });
  const made = async (table: 'branches' | 'answers') => {
    const query = lab.store.database.kysely.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
    return Number(
      (await query.where('run_id', '=', run.id).where('purpose', '=', 'value').executeTakeFirstOrThrow()).count,
    );
  };
  // The loop begins with its first call, too.
  const isAsked = () => lab.simulation.stats().inFlight > 0 || lab.simulation.stats().requests > before;
  await until('the first call', isAsked, 60_000);
  const turn = await timed(async () => {
    await until('the rollouts', async () => (await made('branches')) >= tasks * rollouts, 600_000);
    return made('answers');
  });
  await run.cancel();
  await run.result();
  return turn;
}

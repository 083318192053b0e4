/** Tests whether an environment keeps its contract: what `crux check-env` runs. */
import type { Action } from '../domain/action.ts';
import { messageText } from '../domain/message.ts';
import type { Task } from '../domain/task.ts';
import { errorText } from '../errors.ts';
import { requireText } from '../images.ts';
import { agentFormat } from './agent-format.ts';
import type { Environment, StepResult } from './contract.ts';

export type CheckResult = { check: string; ok: boolean; detail: string };

/** A longer answer than this is not a coincidence when it stands in a message. */
const shortestLeak = 8;

/**
 * Runs a few tasks of an environment in every way that Crux relies on.
 * @param actionsFor actions to try in a task; default: each tool once, with empty arguments
 */
export async function checkEnvironment(
  environment: Environment,
  taskCount: number,
  actionsFor: (task: Task) => Promise<Action[]> = async () => emptyCalls(environment),
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const check = async (name: string, work: () => Promise<string>) => {
    try {
      results.push({ check: name, ok: true, detail: await work() });
    } catch (error) {
      results.push({ check: name, ok: false, detail: errorText(error) });
    }
  };

  let tasks: Task[] = [];
  await check('tasks', async () => {
    tasks = await environment.tasks();
    demand(tasks.length > 0, 'There is no task.');
    const ids = new Set(tasks.map(({ id }) => id));
    demand(ids.size === tasks.length, `${tasks.length - ids.size} task ids are used twice.`);
    const again = await environment.tasks();
    demand(again.map(({ id }) => id).join() === tasks.map(({ id }) => id).join(), 'The order of the tasks changes.');
    const bySplit = Map.groupBy(tasks, ({ split }) => split);
    const shared = groupsIn(bySplit.get('train')).intersection(groupsIn(bySplit.get('test')));
    demand(shared.size === 0, `${shared.size} groups have tasks in both splits, e.g. "${[...shared][0]}".`);
    return `${tasks.length}, of which ${bySplit.get('train')?.length ?? 0} train and ${bySplit.get('test')?.length ?? 0} test`;
  });
  await check('examples in the prompts', async () => {
    const { fewShotTasks } = environment;
    if (!fewShotTasks) return 'not checked: the environment names none';
    const groupOf = new Map(tasks.map(({ id, group }) => [id, group]));
    const unknown = fewShotTasks.filter((id) => !groupOf.has(id));
    demand(unknown.length === 0, `There is no task ${unknown.join(', ')}.`);
    const groups = new Set(fewShotTasks.map((id) => groupOf.get(id)!));
    const shared = tasks.filter(({ split, group }) => split === 'test' && groups.has(group));
    demand(shared.length === 0, `${shared.length} test tasks share groups with them, e.g. task ${shared[0]?.id}.`);
    return `${fewShotTasks.length}, apart from all test tasks`;
  });
  const chosen = spread(tasks, taskCount);

  await check('opening messages', async () => {
    for (const task of chosen) {
      const [first, second] = [await environment.briefing(task), await environment.briefing(task)];
      demand(JSON.stringify(first) === JSON.stringify(second), `The briefing of task ${task.id} changes.`);
      for (const text of [first.system, first.user])
        requireText(text, `The briefing of task ${task.id}`, 'Environment.Fault');
    }
    return `the same twice, ${chosen.length} tasks`;
  });

  await check('no leak of the gold answer', async () => {
    if (!environment.gold) return 'not checked: the environment names no gold answer';
    let looked = 0;
    for (const task of chosen) {
      const gold = await environment.gold(task);
      if (gold === null || gold.length < shortestLeak) continue;
      looked++;
      const briefing = await environment.briefing(task);
      const texts = [briefing.system, briefing.user, (await environment.hints?.(task)) ?? ''];
      demand(
        !texts.some((text) => text.includes(gold)),
        `Messages or hints of task ${task.id} contain the gold answer.`,
      );
    }
    return `${looked} tasks`;
  });

  await check('determinism and replay', async () => {
    if (!environment.capabilities.deterministic) return 'not checked: the environment says that it cannot be replayed';
    let compared = 0;
    for (const task of chosen) {
      const actions = await actionsFor(task);
      const first = await play(environment, task, actions);
      // Another task in between: nothing of it may stay behind.
      const other = chosen.find(({ id }) => id !== task.id);
      if (other) await play(environment, other, actions);
      const second = await play(environment, task, actions);
      for (const [index, step] of first.entries()) {
        const now = second[index];
        demand(
          now?.observation === step.observation && now.done === step.done && now.reward === step.reward,
          `Task ${task.id}, action ${index + 1}: first ${short(step.observation)}, then ${short(now?.observation ?? 'nothing')}.`,
        );
        compared++;
      }
    }
    return `${compared} observations compared, all equal`;
  });

  await check('two sessions do not disturb each other', async () => {
    const task = chosen[0]!;
    const actions = await actionsFor(task);
    const alone = await play(environment, task, actions);
    const [one, two] = await Promise.all([play(environment, task, actions), play(environment, task, actions)]);
    const text = (steps: StepResult[]) => JSON.stringify(steps.map(({ observation }) => observation));
    demand(
      text(one) === text(alone) && text(two) === text(alone),
      `Task ${task.id} goes otherwise when two sessions are open.`,
    );
    return `task ${task.id}`;
  });

  await check('action formats', async () => {
    for (const name of ['react', 'tools'] as const) {
      const format = agentFormat(environment, name);
      for (const action of await actionsFor(chosen[0]!)) {
        const message = format.render('a thought', action, 1);
        const parsed = format.parse(message);
        const same =
          parsed.kind === 'action' && canonical(environment, parsed.action) === canonical(environment, action);
        demand(
          same,
          `The format ${name} does not read back ${JSON.stringify(action)} from ${short(messageText(message))}.`,
        );
      }
      const nonsense = format.parse({ role: 'assistant', content: 'nonsense' });
      if (nonsense.kind !== 'malformed') throw new Error(`The format ${name} takes nonsense for an action.`);
      // A weak model repeats what it is told.
      const echo = name === 'react' && environment.textFormat ? environment.textFormat.parse(nonsense.hint) : nonsense;
      demand(
        echo.kind === 'malformed',
        `The hint of the format ${name} is itself read as an action: ${short(nonsense.hint)}.`,
      );
    }
    return 'react and tools read back what they write';
  });

  await check('time', async () => {
    const task = chosen[0]!;
    const startedAt = performance.now();
    const steps = await play(environment, task, await actionsFor(task));
    const eachMs = (performance.now() - startedAt) / Math.max(1, steps.length);
    return `${eachMs.toFixed(1)} ms a step with opening`;
  });
  return results;
}

async function play(environment: Environment, task: Task, actions: Action[]): Promise<StepResult[]> {
  const session = await environment.open(task);
  const results: StepResult[] = [];
  try {
    for (const action of actions) {
      const result = await session.step(action, AbortSignal.timeout(60_000));
      requireText(result.observation, `An observation of task ${task.id}`, 'Environment.Fault');
      results.push(result);
      if (result.reward !== undefined)
        demand(result.reward >= 0 && result.reward <= 1, `The reward ${result.reward} is not in [0, 1].`);
      if (result.done) break;
    }
  } finally {
    await session.close?.();
  }
  return results;
}

function emptyCalls(environment: Environment): Action[] {
  return environment.tools.map((tool) => ({
    tool: tool.function.name,
    arguments: exampleArguments(tool.function.parameters),
  }));
}

/** Text for every text parameter, so that a call is at least well formed. */
function exampleArguments(parameters: { [key: string]: unknown }): Action['arguments'] {
  const properties = (parameters.properties ?? {}) as { [name: string]: { type?: string; enum?: string[] } };
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, enum: choices }]) => [
      name,
      choices?.[0] ?? (type === 'number' || type === 'integer' ? 1 : type === 'boolean' ? true : 'example'),
    ]),
  );
}

function canonical(environment: Environment, action: Action): string {
  return environment.canonicalAction?.(action) ?? JSON.stringify(action);
}

function groupsIn(tasks: Task[] = []): Set<string> {
  return new Set(tasks.map(({ group }) => group));
}

/** So many tasks, spread evenly over all. */
function spread(tasks: Task[], count: number): Task[] {
  const every = Math.max(1, Math.floor(tasks.length / count));
  return tasks.filter((_, index) => index % every === 0).slice(0, count);
}

function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

function short(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
}

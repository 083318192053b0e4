/** Tests whether an environment keeps its contract: what `crux check-env` runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Action, actionsOf } from '../domain/action.ts';
import { messageText, type Tool } from '../domain/message.ts';
import type { Task } from '../domain/task.ts';
import { errorText } from '../errors.ts';
import { openAnswered } from './answered-session.ts';
import {
  differenceOf,
  firstTrace,
  outcomeText,
  type Played,
  playApart,
  type StartApart,
  type Trace,
  trace,
} from './apart.ts';
import { flagsOf, takenAction } from './audit.ts';
import { checkRecall } from './check-recall.ts';
import type { AuditedTrajectory, Environment, Replay, ScriptedStep } from './contract.ts';
import { isCost } from './cost.ts';
import { agentFormat } from './formats/agent-format.ts';
import { requireObservation, requireTools } from './observed.ts';
import { type Opening, openingOf, readOpening } from './opening.ts';
import { outcomeFrom } from './outcome.ts';
import { type Play, playsOf } from './plays.ts';
import { NoSimulatedReply, simulatedAnswers } from './session-context.ts';
import { type StressOptions, stressEnvironment } from './stress.ts';

export type CheckResult = {
  check: string;
  /** Null if it could not be checked, or does not apply: the detail says why. */
  ok: boolean | null;
  detail: string;
};

export type CheckOptions = {
  /** What to play in a task. Default: its script, walks over what observations offered, and each tool once. */
  plays?: (task: Task) => Promise<Play[]>;
  /** Starts the environment in a process of its own; without it nothing is compared there. */
  startApart?: StartApart;
  /** Plays under stalls and kills too. */
  stress?: StressOptions;
};

/** An answer longer than this is no coincidence when it stands in a message. */
const shortestLeak = 8;

/** Thrown by a check that finds nothing to check. */
class NotChecked extends Error {}

/** Why results are not compared with those of a second play; null if they are. */
const notReplayed: { [replay in Replay]: string | null } = {
  compare: null,
  recorded: 'the environment says that its results may differ, and that what was recorded counts',
  never: 'the environment says that it cannot be replayed, so nothing can be compared',
};

/** Runs a few tasks of an environment in every way that Crux relies on. */
export async function checkEnvironment(
  environment: Environment,
  taskCount: number,
  { plays: playsFor = (task) => playsOf(environment, task), startApart, stress }: CheckOptions = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const check = async (name: string, work: () => Promise<string>) => {
    try {
      results.push({ check: name, ok: true, detail: await work() });
    } catch (error) {
      const isOpen = error instanceof NotChecked || error instanceof NoSimulatedReply;
      results.push({
        check: name,
        ok: isOpen ? null : false,
        detail: `${isOpen ? 'not checked: ' : ''}${errorText(error)}`,
      });
    }
  };
  const whyNotReplayed = notReplayed[environment.capabilities.replay];

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
  const chosen = spread(tasks, taskCount);
  const needTasks = () => {
    if (chosen.length === 0) throw new NotChecked('there is no task to try');
  };
  await check('examples in the prompts', async () => {
    const { fewShotTasks } = environment;
    if (!fewShotTasks) throw new NotChecked('the environment names none');
    needTasks();
    const groupOf = new Map(tasks.map(({ id, group }) => [id, group]));
    const unknown = fewShotTasks.filter((id) => !groupOf.has(id));
    demand(unknown.length === 0, `There is no task ${unknown.join(', ')}.`);
    const groups = new Set(fewShotTasks.map((id) => groupOf.get(id)!));
    const shared = tasks.filter(({ split, group }) => split === 'test' && groups.has(group));
    demand(shared.length === 0, `${shared.length} test tasks share groups with them, e.g. task ${shared[0]?.id}.`);
    return `${fewShotTasks.length}, apart from all test tasks`;
  });

  await check('opening messages', async () => {
    needTasks();
    for (const task of chosen) {
      const [first, second] = [await readOpening(environment, task), await readOpening(environment, task)];
      demand(isSameOpening(first, second), `The opening of task ${task.id} changes.`);
    }
    return `the same twice, ${chosen.length} tasks`;
  });

  await check('no leak of the gold answer', async () => {
    if (!environment.gold) throw new NotChecked('the environment names no gold answer');
    needTasks();
    let looked = 0;
    for (const task of chosen) {
      const gold = await environment.gold(task);
      if (gold === null || gold.length < shortestLeak) continue;
      looked++;
      const { messages, tools } = await readOpening(environment, task);
      const places = {
        'The opening': messages.map(({ content }) => content).join('\n'),
        'A tool': JSON.stringify(tools),
        'The hints': (await environment.hints?.(task)) ?? '',
      };
      for (const [place, text] of Object.entries(places))
        demand(!text.includes(gold), `${place} of task ${task.id} contains the gold answer.`);
    }
    if (looked === 0) throw new NotChecked(`no gold answer is ${shortestLeak} characters long`);
    return `${looked} tasks`;
  });

  const plays = new Map<string, Play[]>();
  await check('plays', async () => {
    needTasks();
    for (const task of chosen) plays.set(task.id, await playsFor(task));
    const all = [...plays.values()].flat();
    const steps = all.reduce((sum, { actions }) => sum + actions.length, 0);
    if (steps === 0) throw new NotChecked('the environment has no tool');
    const scripts = all.filter(({ name }) => name === 'script').length;
    return `${steps} actions in ${chosen.length} tasks: ${scripts === 0 ? 'no script' : `${scripts} scripts`}, walks over what observations offered, each tool once`;
  });
  const playsIn = (task: Task): Play[] => {
    const own = plays.get(task.id);
    if (!own) throw new NotChecked('nothing could be played');
    return own;
  };

  await check('determinism and replay', async () => {
    if (whyNotReplayed) throw new NotChecked(whyNotReplayed);
    needTasks();
    let compared = 0;
    for (const task of chosen) {
      for (const { name, actions } of playsIn(task)) {
        const first = await play(environment, task, actions);
        // Plays another task in between: nothing of it may stay behind.
        const other = chosen.find(({ id }) => id !== task.id);
        if (other) await play(environment, other, actions);
        const second = await play(environment, task, actions);
        compared += compare(`Task ${task.id}, ${name}`, first, second, 'first', 'then');
      }
    }
    if (compared === 0) throw new NotChecked('no action could be played');
    return `${compared} observations compared, all equal`;
  });

  if (environment.capabilities.replay === 'recorded') {
    await check('recorded steps', async () => {
      needTasks();
      let told = 0;
      for (const task of chosen) {
        for (const { name, actions } of playsIn(task)) told += await checkRecall(environment, task, name, actions);
      }
      if (told === 0)
        throw new NotChecked(
          'no state after a step has a state hash: whether `recall` leads to the same state cannot be seen',
        );
      return `${told} states, the same after \`recall\` as after the step`;
    });
  }

  await check('scripts solve their tasks', async () => {
    if (!environment.script) throw new NotChecked('the environment has none');
    if (whyNotReplayed) throw new NotChecked(whyNotReplayed);
    needTasks();
    let solved = 0;
    for (const task of chosen) {
      const script = await environment.script(task);
      if (!script?.length) continue;
      const name = `The script of task ${task.id} has ${script.length} steps`;
      demand(script.length <= environment.stepLimit, `${name}, and stepLimit is ${environment.stepLimit}.`);
      const { traces } = await play(environment, task, scriptedActions(script));
      const last = traces.at(-1)!;
      demand(
        isSolved(environment, last) && traces.length === script.length,
        `${name}, and ${endOf(last, traces.length)}.`,
      );
      solved++;
    }
    if (solved === 0) throw new NotChecked('no task that was tried has one');
    return `${solved} of ${chosen.length} tasks have one, and it ends in success`;
  });

  await check('audit', async () => {
    if (!environment.audit) throw new NotChecked('the environment has none: a success counts however it was won');
    if (!environment.script) throw new NotChecked('no script shows it an honest success');
    needTasks();
    const isCompared = environment.capabilities.replay === 'compare';
    let audited = 0;
    for (const task of chosen) {
      const success = await scriptedSuccess(environment, task);
      if (!success) continue;
      const ask = () => flagsOf(environment, task, success, AbortSignal.timeout(60_000));
      const flags = (await ask())!;
      demand(flags.length === 0, `The script of task ${task.id} is flagged: ${flags.join(', ')}.`);
      if (isCompared) {
        const again = (await ask())!;
        demand(again.length === 0, `The script of task ${task.id} is not flagged, then ${again.join(', ')}.`);
      }
      audited++;
    }
    if (audited === 0) throw new NotChecked('no script that was tried ends in success');
    return `${audited} scripted successes, none flagged${isCompared ? ', twice' : ''}`;
  });

  await check('state hash', async () => {
    needTasks();
    let asked = 0;
    for (const task of chosen) {
      for (const { name, actions } of playsIn(task)) asked += await checkStillness(environment, task, name, actions);
    }
    if (asked === 0) throw new NotChecked(whyNoHash(environment));
    return `asked in ${asked} states, unchanged while nothing happened`;
  });

  await check('outcome at a limit', async () => {
    needTasks();
    let [asked, best] = [0, 0];
    for (const task of chosen) {
      for (const { actions } of playsIn(task)) {
        const told = (await play(environment, task, actions)).traces.flatMap(({ outcome }) => outcome ?? []);
        asked += told.length;
        best = Math.max(best, ...told.map(({ reward }) => reward));
      }
    }
    if (asked === 0) throw new NotChecked('sessions give none; a trajectory that reaches a limit has reward 0');
    return `asked in ${asked} states, at best ${best}`;
  });

  await check('costs', async () => {
    needTasks();
    const { maxStepCost } = environment;
    const costs: number[] = [];
    for (const task of chosen) {
      for (const { name, actions } of playsIn(task)) {
        const { traces } = await play(environment, task, actions);
        for (const [index, { cost }] of traces.entries()) {
          if (cost === undefined) continue;
          const what = `Task ${task.id}, ${name}, action ${index + 1}: the cost is ${cost}`;
          demand(isCost(cost), `${what}, which is no number of US dollars from 0.`);
          demand(maxStepCost === undefined || cost <= maxStepCost, `${what}, and maxStepCost is ${maxStepCost}.`);
          costs.push(cost);
        }
      }
    }
    if (costs.length === 0) throw new NotChecked('steps report none');
    const most =
      maxStepCost === undefined ? 'no maxStepCost: nothing is held before a step' : `maxStepCost ${maxStepCost}`;
    const sum = costs.reduce((all, cost) => all + cost, 0);
    return `${costs.length} steps, US dollars: ${sum.toPrecision(3)} together, at most ${Math.max(...costs)} (${most})`;
  });

  await check('another process', async () => {
    if (!startApart) throw new NotChecked('no other process was started');
    if (whyNotReplayed) throw new NotChecked(whyNotReplayed);
    needTasks();
    const task = chosen[0]!;
    let [compared, hashes] = [0, 0];
    for (const { name, actions } of playsIn(task)) {
      const here = await play(environment, task, actions);
      const { first, traces } = await playApart(startApart, task.id, actions);
      const label = `Task ${task.id}, ${name}`;
      compared += compare(label, here, { first, traces }, 'here', 'in another process');
      hashes += traces.filter(({ stateHash }) => stateHash !== null).length;
    }
    return `${compared} observations${hashes > 0 ? ` and ${hashes} state hashes` : ''} of task ${task.id}, all equal`;
  });

  await check('two sessions do not disturb each other', async () => {
    needTasks();
    const task = chosen[0]!;
    const { actions } = playsIn(task)[0]!;
    const alone = await play(environment, task, actions);
    const [one, two] = await Promise.all([play(environment, task, actions), play(environment, task, actions)]);
    if (whyNotReplayed) return `task ${task.id}, not compared: ${whyNotReplayed}`;
    const label = `Task ${task.id} goes otherwise when two sessions are open`;
    for (const other of [one, two]) compare(label, alone, other, 'alone', 'together');
    return `task ${task.id}`;
  });

  await check('action formats', async () => {
    needTasks();
    const tools = await toolsMet(environment, chosen[0]!, playsIn(chosen[0]!));
    for (const name of ['react', 'tools'] as const) {
      const format = agentFormat(environment, name, { tools });
      for (const action of playsIn(chosen[0]!).flatMap(({ actions }) => actions)) {
        const message = format.render('a thought', [action], 1);
        const [read] = actionsOf(format.parse(message));
        const same = read !== undefined && canonical(environment, read) === canonical(environment, action);
        demand(
          same,
          `The format ${name} does not read back ${JSON.stringify(action)} from ${short(messageText(message))}.`,
        );
      }
      const [nonsense] = format.parse({ role: 'assistant', content: 'nonsense' }).calls;
      if (nonsense?.kind !== 'malformed') throw new Error(`The format ${name} takes nonsense for an action.`);
      // A weak model repeats what it reads.
      const echo = name === 'react' && environment.textFormat ? environment.textFormat.parse(nonsense.hint) : nonsense;
      demand(
        echo.kind === 'malformed',
        `The hint of the format ${name} is itself read as an action: ${short(nonsense.hint)}.`,
      );
    }
    return 'react and tools read back what they write';
  });

  if (stress) {
    await check('stalls and kills', async () => {
      if (!startApart) throw new NotChecked('no other process was started');
      if (whyNotReplayed) throw new NotChecked(whyNotReplayed);
      needTasks();
      const tasksWithPlay = chosen.slice(0, 2).map((task) => ({ taskId: task.id, actions: playsIn(task)[0]!.actions }));
      return stressEnvironment(startApart, tasksWithPlay, stress);
    });
  }

  await check('time', async () => {
    needTasks();
    const task = chosen[0]!;
    const { actions } = playsIn(task)[0]!;
    const startedAt = performance.now();
    const { traces } = await play(environment, task, actions);
    const eachMs = (performance.now() - startedAt) / Math.max(1, traces.length);
    return `${eachMs.toFixed(1)} ms a step with opening`;
  });
  return results;
}

function endOf({ done, reward, success, outcome }: Trace, steps: number): string {
  if (!done) return `the task is not over after them${outcome ? `, with ${outcomeText(outcome)}` : ''}`;
  return `the task ends at step ${steps} with reward ${reward ?? 'unknown'}${success === undefined ? '' : ` and success ${success}`}`;
}

function scriptedActions(script: readonly ScriptedStep[]): Action[] {
  return script.map(({ action }) => action);
}

function isSolved(environment: Environment, { done, success, reward, outcome }: Trace): boolean {
  if (done) return success ?? (reward ?? 0) >= environment.successAt;
  return outcome !== null && outcomeFrom(environment, outcome).success;
}

/** What the audit is given of a task's script. @returns null if there is none, or it does not solve the task */
async function scriptedSuccess(environment: Environment, task: Task): Promise<AuditedTrajectory | null> {
  const script = await environment.script!(task);
  if (!script?.length) return null;
  const actions = scriptedActions(script);
  const { traces } = await play(environment, task, actions);
  const last = traces.at(-1)!;
  if (!isSolved(environment, last)) return null;
  const { reward = null, details = null } = last.done ? last : last.outcome!;
  return { actions: traces.map((trace, index) => takenAction(actions[index]!, trace)), reward, details };
}

function isSameOpening(one: Opening, other: Opening): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function play(environment: Environment, task: Task, actions: readonly Action[]): Promise<Played> {
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  const traces: Trace[] = [];
  try {
    const first = await firstTrace(environment, task, session);
    for (const action of actions) {
      const result = await trace(session, action, AbortSignal.timeout(60_000));
      requireObservation(result.observation);
      if (result.tools) requireTools(result.tools);
      traces.push(result);
      for (const { reward } of [result, result.outcome ?? {}])
        if (reward !== undefined) demand(reward >= 0 && reward <= 1, `The reward ${reward} is not in [0, 1].`);
      if (result.done) break;
    }
    return { first, traces };
  } finally {
    await session.close?.();
  }
}

/** The tools of all states that the plays come through, each once. */
async function toolsMet(environment: Environment, task: Task, plays: readonly Play[]): Promise<Tool[]> {
  const met = new Map<string, Tool>();
  for (const { actions } of plays) {
    const { first, traces } = await play(environment, task, actions);
    for (const tool of [first.opening.tools, ...traces.map(({ tools = [] }) => tools)].flat())
      met.set(tool.function.name, tool);
  }
  return [...met.values()];
}

/** @returns how many observations were compared @throws Error for the first that differs */
function compare(label: string, one: Played, other: Played, when: string, then: string): number {
  demand(isSameOpening(one.first.opening, other.first.opening), `${label}: it opens otherwise ${then} than ${when}.`);
  const [hash, otherHash] = [one.first.stateHash, other.first.stateHash];
  demand(hash === otherHash, `${label}: the first state has the hash ${hash} ${when}, ${otherHash} ${then}.`);
  for (const [index, step] of one.traces.entries()) {
    const difference = differenceOf(step, other.traces[index]);
    demand(
      difference === null,
      `${label}, action ${index + 1}: ${when} ${difference?.one}, ${then} ${difference?.other}.`,
    );
  }
  return one.traces.length;
}

/** A hash that changes while nothing happens would make every replay diverge, and make no two states equal. */
async function checkStillness(
  environment: Environment,
  task: Task,
  name: string,
  actions: readonly Action[],
): Promise<number> {
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  if (!session.stateHash) {
    await session.close?.();
    return 0;
  }
  let asked = 0;
  const still = async (where: string) => {
    const first = await session.stateHash!();
    demand(
      typeof first === 'string',
      `The state hash of task ${task.id} is ${JSON.stringify(first)}, which is no text.`,
    );
    await sleep(5);
    const again = await session.stateHash!();
    demand(
      first === again,
      `Task ${task.id}, ${name}, ${where}: the state hash is ${first}, then ${again}, and nothing happened.`,
    );
    asked++;
  };
  try {
    await still('at the start');
    let { tools } = await openingOf(environment, task, session);
    let hash = await session.stateHash();
    for (const [index, action] of actions.entries()) {
      const result = await session.step(action, AbortSignal.timeout(60_000));
      if (result.done) break;
      await still(`after action ${index + 1}`);
      const now = await session.stateHash();
      const isSameTools = result.tools === undefined || JSON.stringify(result.tools) === JSON.stringify(tools);
      demand(
        isSameTools || hash !== now,
        `Task ${task.id}, ${name}, action ${index + 1}: the tools change, and the state hash stays ${hash}.`,
      );
      [tools, hash] = [result.tools ?? tools, now];
    }
  } finally {
    await session.close?.();
  }
  return asked;
}

function whyNoHash({ observesAll }: Environment): string {
  if (observesAll) return 'sessions give none, and observations say all (`observesAll`)';
  return 'sessions give none; without a snapshot too, pairs whose observations are equal are flagged `same-observation`';
}

function canonical(environment: Environment, action: Action): string {
  return environment.canonicalAction?.(action) ?? JSON.stringify(action);
}

function groupsIn(tasks: Task[] = []): Set<string> {
  return new Set(tasks.map(({ group }) => group));
}

/** This many tasks, spread evenly over all. */
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

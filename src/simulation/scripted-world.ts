/**
 * A world for a user's own environment, made of the scripts that solve its tasks (`Environment.script`).
 *
 * The progress of a conversation is the number of scripted actions that were taken in their order, whatever happened between them. The next scripted
 * action is right; anything else is a mistake. Where the agent has no tool for it, the way back to it is right. If the environment does not recover
 * from a mistake, the simulated policy therefore stays on a path that leads nowhere, as a real one would.
 */
import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { Message, Tool } from '../domain/message.ts';
import type { Task } from '../domain/task.ts';
import type { Environment, ScriptedStep } from '../environments/contract.ts';
import { describedTools } from '../environments/formats/agent-format.ts';
import { readOpening } from '../environments/opening.ts';
import { CruxError, errorText } from '../errors.ts';
import { readAction, readTurns, type Turn, writeProposal } from './conversation.ts';
import { usualSkill } from './model-name.ts';
import { unit, type Weighted } from './random.ts';
import { isOffered, otherArguments, seenArguments } from './scripted-arguments.ts';
import { type Agent, isGood, type Scene, type SimulatedWorld } from './world.ts';

export type ScriptedWorldOptions = {
  /**
   * Share of the policy's steps that are mistakes, in [0, 1], at its default skill and temperature 1. Default 0.4. More skill makes fewer of them
   * (`sim-policy@skill=1`: none), less skill more.
   */
  mistakes?: number;
};

export type ScriptedWorld = SimulatedWorld & {
  /** Ids of the tasks that the models can work on. */
  tasks: readonly string[];
  /** Tasks that they cannot work on. */
  leftOut: readonly LeftOutTask[];
  /** Ids of the tasks for which no mistake can be made up: the models always act right there. */
  flawless: readonly string[];
};

export type LeftOutTask = {
  task: string;
  reason: string;
  /** The task that the models take it for, because it is briefed alike. Absent: the server refuses requests about it. */
  takenFor?: string;
};

type Lesson = { task: string; system: string; user: string; tools: Tool[]; script: readonly ScriptedStep[] };

/** The most mistakes that each source gives for one state. */
const fewMistakes = 4;

/**
 * Reads every task's briefing and script once.
 * @throws CruxError `User.Config` for an environment without any script, or a share out of range
 */
export async function scriptedWorld(
  environment: Environment,
  { mistakes = 0.4 }: ScriptedWorldOptions = {},
): Promise<ScriptedWorld> {
  if (!(mistakes >= 0 && mistakes <= 1))
    throw new CruxError('User.Config', `The share of mistakes must be from 0 to 1, not ${mistakes}.`);
  const keyOf = (action: Action) => environment.canonicalAction?.(action) ?? canonicalJson(action);
  const { lessons, leftOut } = await readLessons(environment, keyOf);
  const native = environment.textFormat ?? null;
  const mistakesOf = mistakeMaker(lessons, keyOf);
  const byUser = Map.groupBy(lessons, ({ user }) => user);
  return {
    name: `scripted:${environment.name}`,
    tasks: lessons.map(({ task }) => task),
    leftOut,
    flawless: lessons
      .filter((lesson) =>
        lesson.script.every((right, position) => mistakesOf({ lesson, position, right, tools: null }, 0).length === 0),
      )
      .map(({ task }) => task),
    reply: (request) => environment.simulatedReply?.(request) ?? null,
    match(messages, tools, offered) {
      const opening = messages.findIndex((message) => message.role === 'user' && byUser.has(message.content));
      const lesson = opening < 0 ? null : lessonOf(messages, byUser.get(messages[opening]!.content!)!);
      if (lesson === null) return null;
      const position = positionIn(lesson.script, readTurns(messages, opening, native), keyOf);
      const here = offered ?? describedTools(messages);
      const right = rightAt(lesson, position, here);
      return {
        task: lesson.task,
        propose(agent, seed, dice) {
          const rate = mistakeRate(agent, mistakes);
          const wrong = mistakesOf({ lesson, position, right, tools: here }, seed);
          if (wrong.length === 0) return right;
          // Fixed, so that a policy tends to the same mistakes.
          const tastes = wrong.map(
            ({ action }) => 0.5 + unit(seed, agent.family, 'taste', lesson.task, position, keyOf(action)),
          );
          const total = tastes.reduce((sum, taste) => sum + taste, 0);
          const options: Weighted<ScriptedStep>[] = [
            { weight: 1 - rate, value: right },
            ...wrong.map((value, index) => ({ weight: (rate * tastes[index]!) / total, value })),
          ];
          return dice.choose(options.filter(({ weight }) => weight > 0));
        },
        write: (proposal) => writeProposal(proposal, messages, tools, native),
        judge(message) {
          const action = readAction(message, native);
          if (action === null) return { quality: 0.05, good: false, actionKey: 'malformed' };
          const actionKey = keyOf(action);
          const quality =
            actionKey === keyOf(right.action)
              ? 0.9
              : lesson.script.some((step) => keyOf(step.action) === actionKey)
                ? 0.3
                : 0.15;
          return { quality, good: isGood(quality), actionKey };
        },
      } satisfies Scene;
    },
  };
}

type KeyOf = (action: Action) => string;

async function readLessons(
  environment: Environment,
  keyOf: KeyOf,
): Promise<Pick<ScriptedWorld, 'leftOut'> & { lessons: Lesson[] }> {
  const remedy = 'Give it `script(task)`: the thoughts and actions that solve the task. See docs/first-environment.md.';
  if (!environment.script)
    throw new CruxError('User.Config', `The environment "${environment.name}" has no script.`, { remedy });
  const lessons: Lesson[] = [];
  const leftOut: LeftOutTask[] = [];
  const byBriefing = new Map<string, Lesson>();
  const actions = ({ script }: Pick<Lesson, 'script'>) => script.map(({ action }) => keyOf(action)).join('\n');
  for (const task of await environment.tasks()) {
    const script = await readScript(environment, task);
    if (!script?.length) {
      leftOut.push({ task: task.id, reason: 'it has no script' });
      continue;
    }
    const { messages, tools } = await readOpening(environment, task);
    const said = (role: 'system' | 'user') => messages.findLast((message) => message.role === role)?.content ?? '';
    const [system, user] = [said('system'), said('user')];
    const lesson = { task: task.id, system, user, tools, script };
    const briefing = JSON.stringify([system, user]);
    const same = byBriefing.get(briefing);
    if (same && actions(same) !== actions(lesson)) {
      const reason = `it is briefed like task ${same.task}, and solved otherwise`;
      leftOut.push({ task: task.id, reason, takenFor: same.task });
      continue;
    }
    byBriefing.set(briefing, lesson);
    lessons.push(lesson);
  }
  if (lessons.length === 0)
    throw new CruxError('User.Config', `None of the ${leftOut.length} tasks of "${environment.name}" has a script.`, {
      remedy,
    });
  return { lessons, leftOut };
}

async function readScript(environment: Environment, task: Task): Promise<ScriptedStep[] | null> {
  try {
    return await environment.script!(task);
  } catch (error) {
    const what = `The script of task ${task.id} of "${environment.name}" cannot be made: ${errorText(error)}`;
    throw new CruxError('Environment.Fault', what, { cause: error });
  }
}

/** The system message tells tasks with equal user messages apart; a format or guidance may follow it. */
function lessonOf(messages: readonly Message[], lessons: readonly Lesson[]): Lesson | null {
  const system = messages.find((message) => message.role === 'system')?.content ?? '';
  return lessons.find((lesson) => system.startsWith(lesson.system)) ?? null;
}

/** Index of the next scripted step; of the last one if all were taken and the task is not over. */
function positionIn(script: readonly ScriptedStep[], turns: readonly Turn[], keyOf: KeyOf): number {
  let position = 0;
  for (const { action } of turns)
    if (position < script.length && action && keyOf(action) === keyOf(script[position]!.action)) position++;
  return Math.min(position, script.length - 1);
}

/**
 * The next scripted step. If the agent has no tool for it, because a mistake led elsewhere: the last scripted step before it that can be taken, else
 * a tool that needs no arguments and that the script does not use, such as a way back.
 * @param tools those that the agent has; null if they are unknown
 */
function rightAt({ script }: Lesson, position: number, tools: readonly Tool[] | null): ScriptedStep {
  const next = script[position]!;
  if (tools === null || hasTool(tools, next.action)) return next;
  const earlier = script.slice(0, position).findLast(({ action }) => isOffered(action, tools));
  if (earlier) return earlier;
  const used = new Set(script.map(({ action }) => action.tool));
  const back = tools.find((tool) => needsNothing(tool) && !used.has(tool.function.name));
  return back ? { thought: 'This is not the way. I go back.', action: bareAction(back) } : next;
}

const hasTool = (tools: readonly Tool[], { tool }: Action) => tools.some(({ function: { name } }) => name === tool);

const needsNothing = ({ function: { parameters } }: Tool) => !(parameters.required as string[] | undefined)?.length;

const bareAction = ({ function: { name } }: Tool): Action => ({ tool: name, arguments: {} });

/** The stated share at the agent's default skill (an expert's: none), none at skill 1, all at skill 0, and linear in between. */
function mistakeRate({ role, skill }: Agent, mistakes: number): number {
  const usual = usualSkill[role];
  const stated = role === 'policy' ? mistakes : 0;
  return skill >= usual ? (stated * (1 - skill)) / (1 - usual) : stated + ((1 - stated) * (usual - skill)) / usual;
}

type Place = {
  lesson: Lesson;
  position: number;
  right: ScriptedStep;
  /** Those that the agent has; null if they are unknown. */
  tools: readonly Tool[] | null;
};

type MistakesOf = (place: Place, seed: number) => readonly ScriptedStep[];

/**
 * Plausible mistakes in a state: another action of the task's script (too early, or again), an action of another task's script, and the right action
 * with other arguments; all of them by tools that the agent has. If there are none of these: a tool that needs no arguments.
 */
function mistakeMaker(lessons: readonly Lesson[], keyOf: KeyOf): MistakesOf {
  const keyed = (step: ScriptedStep) => ({ step, key: keyOf(step.action) });
  const all = lessons.flatMap(({ script }) => script.map(keyed));
  const distinct = [...new Map(all.map((one) => [one.key, one])).values()];
  const seen = seenArguments(distinct.map(({ step }) => step.action));
  const bare = [...new Map(lessons.flatMap(({ tools }) => tools.map((tool) => [tool.function.name, tool]))).values()]
    .filter(needsNothing)
    .map((tool) => keyed({ thought: '', action: bareAction(tool) }));
  const made = new Map<string, readonly ScriptedStep[]>();
  return ({ lesson, position, right, tools }, seed) => {
    const name = JSON.stringify([seed, lesson.task, position, keyOf(right.action), tools]);
    const known = made.get(name);
    if (known) return known;
    const taken = new Set([keyOf(right.action)]);
    /** The first few new ones, starting at a drawn one. */
    const few = (source: string, given: readonly { step: ScriptedStep; key: string }[]): ScriptedStep[] => {
      const candidates = tools === null ? given : given.filter(({ step }) => isOffered(step.action, tools));
      const first = Math.floor(unit(seed, 'mistake', source, lesson.task, position) * candidates.length);
      const found: ScriptedStep[] = [];
      for (let index = 0; index < candidates.length && found.length < fewMistakes; index++) {
        const { step, key } = candidates[(first + index) % candidates.length]!;
        if (!taken.has(key)) found.push(step);
        taken.add(key);
      }
      return found;
    };
    const changed = otherArguments(right.action, seen, tools ?? lesson.tools).map((action) =>
      keyed({ ...right, action }),
    );
    const wrong = [...few('own', lesson.script.map(keyed)), ...few('arguments', changed), ...few('other', distinct)];
    const result = wrong.length > 0 ? wrong : few('bare', bare);
    made.set(name, result);
    return result;
  };
}

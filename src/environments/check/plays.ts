/**
 * What `crux check-env` plays in a task: the environment's own script, walks over what earlier observations offered, and each tool once. A
 * walk is drawn with a seed, so that a failure can be found again. It uses words that the agent has read: invented ones only ever reach the
 * error branch of a tool.
 */
import type { Action } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import type { Tool } from '../../domain/message.ts';
import { observationText } from '../../domain/observation.ts';
import { seededRandom } from '../../domain/statistics/random.ts';
import type { Task } from '../../domain/task.ts';
import { openAnswered } from '../answered-session.ts';
import type { Environment } from '../contract.ts';
import { openingOf, readOpening } from '../opening.ts';
import { simulatedAnswers } from '../session-context.ts';

export type Play = { name: string; actions: Action[] };

const walks = 3;
const longestWalk = 8;
const stepTimeLimitMs = 60_000;

/** @throws what the environment throws */
export async function playsOf(environment: Environment, task: Task): Promise<Play[]> {
  const script = (await environment.script?.(task)) ?? null;
  const plays: Play[] = script ? [{ name: 'script', actions: script.map(({ action }) => action) }] : [];
  for (let number = 1; number <= walks; number++) {
    const actions = await walk(environment, task, seededRandom(`check-env/${task.id}/${number}`));
    if (actions.length > 0) plays.push({ name: `walk ${number}`, actions });
  }
  const { tools } = await readOpening(environment, task);
  const calls = tools.map((tool) => ({ tool: tool.function.name, arguments: exampleArguments(tool) }));
  return [...plays, { name: 'each tool', actions: calls }];
}

type Random = ReturnType<typeof seededRandom>;

/** Acts as the draws say until the task ends, or the walk is long enough. */
async function walk(environment: Environment, task: Task, random: Random): Promise<Action[]> {
  const actions: Action[] = [];
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  try {
    const opening = await openingOf(environment, task, session);
    const read = opening.messages.map(({ content }) => content);
    let { tools } = opening;
    while (actions.length < Math.min(longestWalk, environment.stepLimit)) {
      const tool = drawOf(tools, random);
      if (!tool) break;
      const action = { tool: tool.function.name, arguments: drawArguments(tool, read, random) };
      actions.push(action);
      const result = await session.step(action, AbortSignal.timeout(stepTimeLimitMs));
      if (result.done) break;
      read.push(observationText(result.observation));
      tools = result.tools ?? tools;
    }
  } finally {
    await session.close?.();
  }
  return actions;
}

type Parameter = { type?: string; enum?: Json[] };

function parametersOf(tool: Tool): [string, Parameter][] {
  const { properties = {} } = tool.function.parameters as { properties?: { [name: string]: Parameter } };
  return Object.entries(properties);
}

function drawArguments(tool: Tool, read: readonly string[], random: Random): Action['arguments'] {
  return Object.fromEntries(
    parametersOf(tool).map(([name, { type, enum: choices }]): [string, Json] => {
      if (choices) return [name, drawOf(choices, random) ?? null];
      switch (type) {
        case 'number':
        case 'integer':
          return [name, Number(drawOf(numbersIn(read), random) ?? random.below(5))];
        case 'boolean':
          return [name, random.below(2) === 1];
        case 'array':
          return [name, []];
        case 'object':
          return [name, {}];
        default:
          return [name, drawText(read, random)];
      }
    }),
  );
}

/** Mostly something that was read last and looks like a choice: an item of a list, something in quotation marks; else any word. */
function drawText(read: readonly string[], random: Random): string {
  const offered = offeredIn(read.at(-1) ?? '');
  const all =
    random.below(4) > 0 && offered.length > 0 ? offered : [...read.flatMap(offeredIn), ...read.flatMap(wordsIn)];
  return drawOf([...new Set(all)], random) ?? 'example';
}

const longestChoice = 80;

function offeredIn(text: string): string[] {
  const lists = [...text.matchAll(/:\s*([^.:\n]+)/g)].flatMap(([, list]) => list!.split(','));
  const quoted = [...text.matchAll(/"([^"\n]+)"|'([^'\n]+)'|`([^`\n]+)`/g)].map(
    ([, one, two, three]) => one ?? two ?? three!,
  );
  const lines = [...text.matchAll(/^\s*(?:[-*•]|\d+[.)])\s+(.+)$/gm)].map(([, line]) => line!);
  return [...lists, ...quoted, ...lines]
    .map((item) => item.trim())
    .filter((item) => item !== '' && item.length <= longestChoice);
}

function wordsIn(text: string): string[] {
  return text.match(/[\p{L}\p{N}_][\p{L}\p{N}_./-]*/gu)?.filter((word) => word.length <= longestChoice) ?? [];
}

function numbersIn(read: readonly string[]): string[] {
  return read.flatMap((text) => text.match(/(?<![\p{L}\d.])\d{1,6}(?![\p{L}\d])/gu) ?? []);
}

function drawOf<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items.length === 0 ? undefined : items[random.below(items.length)];
}

/** Text for every text parameter, so that a call is at least well formed. */
function exampleArguments(tool: Tool): Action['arguments'] {
  return Object.fromEntries(
    parametersOf(tool).map(([name, { type, enum: choices }]) => [
      name,
      choices?.[0] ?? (type === 'number' || type === 'integer' ? 1 : type === 'boolean' ? true : 'example'),
    ]),
  );
}

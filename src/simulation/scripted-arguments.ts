/** The arguments of a scripted action, changed as a careless agent would change them: for well-formed mistakes. */
import type { Action } from '../domain/action.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { Tool } from '../domain/message.ts';

/** The most values kept of one argument: a data set may have a value for each task. */
const mostValues = 50;

/** By tool and argument: the values in the scripts, each once. */
export type SeenArguments = ReadonlyMap<string, readonly Json[]>;

const place = (tool: string, name: string) => JSON.stringify([tool, name]);

export function seenArguments(actions: readonly Action[]): SeenArguments {
  const values = new Map<string, Map<string, Json>>();
  for (const action of actions) {
    for (const [name, value] of Object.entries(action.arguments)) {
      const key = place(action.tool, name);
      const known = values.get(key) ?? new Map<string, Json>();
      if (known.size < mostValues) values.set(key, known.set(canonicalJson(value), value));
    }
  }
  return new Map([...values].map(([key, known]) => [key, [...known.values()]]));
}

type Parameter = { enum?: Json[]; examples?: Json[] };

function parametersOf(tool: Tool | undefined): { [name: string]: Parameter } {
  return (tool?.function.parameters.properties ?? {}) as { [name: string]: Parameter };
}

const named = (tools: readonly Tool[], name: string) => tools.find((tool) => tool.function.name === name);

/** Whether an agent that has these tools can act so: the tool is there, and each argument with a list of choices is one of them. */
export function isOffered(action: Action, tools: readonly Tool[]): boolean {
  const tool = named(tools, action.tool);
  if (!tool) return false;
  const parameters = parametersOf(tool);
  return Object.entries(action.arguments).every(([name, value]) => isChoice(value, parameters[name]));
}

function isChoice(value: Json, { enum: choices }: Parameter = {}): boolean {
  return choices === undefined || choices.some((choice) => canonicalJson(choice) === canonicalJson(value));
}

/**
 * The action with one argument changed: to a value from elsewhere in the scripts, to another choice or an example of its schema, or to a neighbour
 * of a number.
 */
export function otherArguments(action: Action, seen: SeenArguments, tools: readonly Tool[]): Action[] {
  const parameters = parametersOf(named(tools, action.tool));
  return Object.entries(action.arguments).flatMap(([name, value]) => {
    const { enum: choices = [], examples = [] } = parameters[name] ?? {};
    return [...(seen.get(place(action.tool, name)) ?? []), ...choices, ...examples, ...neighbours(value)]
      .filter((other) => canonicalJson(other) !== canonicalJson(value))
      .map((other) => ({ tool: action.tool, arguments: { ...action.arguments, [name]: other } }));
  });
}

function neighbours(value: Json): Json[] {
  if (typeof value === 'boolean') return [!value];
  return typeof value === 'number' ? [value - 1, value + 1] : [];
}

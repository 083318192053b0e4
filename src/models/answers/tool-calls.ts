/** The tool calls of an answer, in the shapes that servers give them. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Tool, ToolCall } from '../../domain/message.ts';
import { offeredName, unwrappedArguments } from './tool-call-shapes.ts';

const functionSchema = z.object({ name: z.string().nullish(), arguments: z.unknown().optional() });

/** The members of a message that hold tool calls: today's, and the one before it. */
export const toolCallsSchema = {
  tool_calls: z
    .array(z.object({ id: z.union([z.string(), z.number()]).nullish(), function: functionSchema }))
    .nullish(),
  function_call: functionSchema.nullish(),
};

type Called = z.infer<z.ZodObject<typeof toolCallsSchema>>;

/**
 * The tool calls of a message, numbered by step and position, and the ids that the server itself gave them. A call that repeats the one before it is
 * left out.
 * @param step number of the step, from 1
 */
export function readToolCalls(
  message: Called,
  step: number,
  tools: readonly Tool[],
): { calls: ToolCall[]; ids: (string | null)[] } {
  const legacy = message.function_call ? [{ id: null, function: message.function_call }] : [];
  const written = message.tool_calls?.length ? message.tool_calls : legacy;
  const offered = tools.map((tool) => tool.function.name);
  const read = written.map(({ id, function: called }) => {
    const name = offeredName(called.name ?? '', offered);
    const tool = tools.find((own) => own.function.name === name);
    const ownId = id === null || id === undefined || id === '' ? null : String(id);
    return { ownId, called: { name, arguments: argumentsText(called.arguments, tool) } };
  });
  // Parsers of servers give a call twice. A model that means it twice can call again in its next message.
  const once = read.filter(({ called }, index) => !isDeepStrictEqual(called, read[index - 1]?.called));
  return {
    calls: once.map(({ called }, index) => ({ id: `call_${step}_${index}`, type: 'function', function: called })),
    ids: once.map(({ ownId }) => ownId),
  };
}

/**
 * Arguments as JSON text. A text is the model's own, without what servers wrap it in; a value becomes its JSON. Missing arguments are `{}`
 * for a tool that requires none.
 */
function argumentsText(given: unknown, tool: Tool | undefined): string {
  const isNone = given === null || given === undefined || (typeof given === 'string' && given.trim() === '');
  if (isNone) return tool && requiresNothing(tool) ? '{}' : '';
  return typeof given === 'string' ? unwrappedArguments(given) : JSON.stringify(given);
}

function requiresNothing({ function: { parameters } }: Tool): boolean {
  return !Array.isArray(parameters.required) || parameters.required.length === 0;
}

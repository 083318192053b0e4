import type { Json } from '../domain/canonical-json.ts';
import type { Tool } from '../domain/message.ts';

export function textParameter(description: string): { [name: string]: Json } {
  return { type: 'string', description };
}

/** A tool that takes these arguments and no others. */
export function functionTool(
  name: string,
  description: string,
  properties: { [name: string]: Json },
  required: string[],
): Tool {
  return {
    type: 'function',
    function: { name, description, parameters: { type: 'object', properties, required, additionalProperties: false } },
  };
}

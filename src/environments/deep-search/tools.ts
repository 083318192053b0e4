/** What an agent can do, and its actions as they are read. */
import type { Action } from '../../domain/action.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Tool } from '../../domain/message.ts';
import { functionTool, textParameter } from '../function-tool.ts';

export const tools: Tool[] = [
  functionTool('search', 'Searches for texts.', { query: textParameter('Words to search for.') }, ['query']),
  functionTool(
    'open',
    'Opens a text that a search found, and shows it page by page.',
    {
      id: textParameter('Id or address of the text, as the search shows it.'),
      page: { type: 'integer', minimum: 1, description: 'Default 1.' },
    },
    ['id'],
  ),
  functionTool(
    'find',
    'Shows where some words stand in the opened text.',
    { text: textParameter('Words to look for.') },
    ['text'],
  ),
  functionTool('answer', 'Answers the question. This ends the task.', { text: textParameter('The answer itself.') }, [
    'text',
  ]),
];

export type SearchAction =
  | { tool: 'search'; query: string }
  | { tool: 'open'; id: string; page: number }
  | { tool: 'find'; text: string }
  | { tool: 'answer'; text: string };

/** @returns a sentence for the agent if its arguments are not those of a tool */
export function readSearchAction({ tool: name, arguments: given }: Action): SearchAction | string {
  switch (name) {
    case 'search':
      return isText(given.query) ? { tool: 'search', query: given.query.trim() } : missing('search', 'query');
    case 'open': {
      if (!isText(given.id)) return missing('open', 'id');
      const page = given.page === undefined || given.page === null ? 1 : Number(given.page);
      if (!Number.isInteger(page) || page < 1) return '"page" must be a whole number from 1.';
      return { tool: 'open', id: given.id.trim().replace(/^\[(.*)\]$/, '$1'), page };
    }
    case 'find':
      return isText(given.text) ? { tool: 'find', text: given.text.trim() } : missing('find', 'text');
    case 'answer':
      // An empty answer is an answer: a wrong one.
      return typeof given.text === 'string' || typeof given.text === 'number'
        ? { tool: 'answer', text: String(given.text) }
        : missing('answer', 'text');
    default:
      return `There is no tool "${name}". The tools are ${tools.map((one) => one.function.name).join(', ')}.`;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function missing(name: string, argument: string): string {
  return `"${name}" needs "${argument}", a text that is not empty.`;
}

/** Searches and texts to find are the same whatever their case and blanks. */
export function canonicalSearchAction(action: Action): string {
  const read = readSearchAction(action);
  if (typeof read === 'string') return canonicalJson([action.tool, action.arguments]);
  switch (read.tool) {
    case 'search':
      return canonicalJson(['search', plain(read.query)]);
    case 'open':
      return canonicalJson(['open', read.id, read.page]);
    default:
      return canonicalJson([read.tool, plain(read.text)]);
  }
}

export function plain(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}

/**
 * The form in which ETO (arXiv 2403.02502) and IPR (arXiv 2406.11176) have agents shop:
 *
 *     Thought: I should look for a lamp with an oak base.
 *     Action: search[oak reading lamp]
 *
 * or `Action: click[Buy Now]`. Departure: words in brackets may hold brackets themselves; the benchmark takes such an action for none.
 */
import type { Action, ParsedAction } from '../../domain/action.ts';
import type { TextFormat } from '../contract.ts';
import type { ShopAction } from './shop.ts';

const marker = 'Action:';

const malformed: ParsedAction = {
  kind: 'malformed',
  // Holds no action: a weak model repeats what it reads, and the echo must not be one.
  hint: 'Your answer has no action. Keep to the form that was described at the start: your thought, and on the next line the action, which is a search or a click with its words in square brackets.',
};

const instructions = `Answer every turn in this form:

Thought: what you know and what you do next
Action: search[words to search for]

or, to click something on the page:

Thought: why you click it
Action: click[its text]

Write one action per turn and nothing after it; the page that follows is given as "Observation:".`;

export const shopTextFormat: TextFormat = { instructions, observationPrefix: 'Observation:\n', parse, render };

/** The argument of each tool. */
const argumentNames = { search: 'keywords', click: 'target' } as const;
export type ShopTool = keyof typeof argumentNames;

function parse(text: string): ParsedAction {
  const at = text.indexOf(marker);
  if (at < 0) return malformed;
  const found = /^\s*(search|click)\[([^\n]+)\]/.exec(text.slice(at + marker.length));
  if (!found) return malformed;
  const thought = text
    .slice(0, at)
    .replace(/^\s*Thought:/, '')
    .trim();
  return { kind: 'action', thought, action: shopAction(found[1] as ShopTool, found[2]!) };
}

function render(thought: string, action: Action): string {
  const { tool, argument } = readShopAction(action) ?? { tool: action.tool, argument: '' };
  return `Thought: ${thought.trim().replaceAll(marker, 'Action -')}\n${marker} ${tool}[${argument}]`;
}

export function shopAction(tool: ShopTool, argument: string): Action {
  return { tool, arguments: { [argumentNames[tool]]: argument } };
}

/** @returns tool and argument, on one line; null for another tool, or without a text for argument */
export function readShopAction({ tool, arguments: given }: Action): { tool: ShopTool; argument: string } | null {
  if (tool !== 'search' && tool !== 'click') return null;
  const argument = given[argumentNames[tool]];
  return typeof argument === 'string' ? { tool, argument: argument.replace(/\s*\n\s*/g, ' ') } : null;
}

/** As the shop takes it; null for what is no action there, such as one without a text. */
export function shopActionFrom(action: Action): ShopAction | null {
  const read = readShopAction(action);
  return read?.argument ? { name: read.tool, argument: read.argument.toLowerCase() } : null;
}

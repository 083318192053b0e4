import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { storableText } from '../store/text.ts';
import type { Environment } from './contract.ts';

/** Equal texts mean equal actions, by the environment's own rule if it has one. */
export function canonicalAction(environment: Environment, action: Action): string {
  return storableText(environment.canonicalAction?.(action) ?? canonicalJson(action));
}

/** The same for all actions of a message; null if it holds none. */
export function canonicalActions(environment: Environment, actions: readonly Action[]): string | null {
  return actions.length === 0 ? null : actions.map((action) => canonicalAction(environment, action)).join('\n');
}

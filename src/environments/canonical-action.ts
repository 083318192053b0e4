import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { storableText } from '../store/text.ts';
import type { Environment } from './contract.ts';

/** Equal texts mean equal actions, by the environment's own rule if it has one. */
export function canonicalAction(environment: Environment, action: Action): string {
  return storableText(environment.canonicalAction?.(action) ?? canonicalJson(action));
}

/** The same for all actions of a message; null if it holds none. Several are a list: the text of one may hold any sign that could part them. */
export function canonicalActions(environment: Environment, actions: readonly Action[]): string | null {
  const texts = actions.map((action) => canonicalAction(environment, action));
  return texts.length > 1 ? canonicalJson(texts) : (texts[0] ?? null);
}

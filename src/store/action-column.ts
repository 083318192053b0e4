/** The actions of a message in a column: one as itself, several as a list, null for none. Most messages hold one, and always did. */
import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';

export function actionColumn(actions: readonly Action[]): string | null {
  if (actions.length === 0) return null;
  return canonicalJson(actions.length === 1 ? actions[0]! : [...actions]);
}

export function actionsIn(column: string | null): Action[] {
  if (column === null) return [];
  const value = JSON.parse(column) as Action | Action[];
  return Array.isArray(value) ? value : [value];
}

import type { HistoryChange } from '../../domain/message.ts';
import type { RowFinding } from '../finding.ts';
import type { KindName } from '../item.ts';

const reasons: { [change in HistoryChange]: string } = {
  'conversation-rewritten':
    'The environment put a new conversation in place of the old one between its turns: no row shows what the model read in each. Pairs of single actions hold such states.',
  'tools-changed':
    'The model was offered other tools in the middle of its turns, and a row has one list of tools. Pairs of single actions hold such states.',
};

/** Leaves out what no target can hold in one row. */
export function historyFindings(kind: KindName, change: HistoryChange | undefined): RowFinding[] {
  return change ? [{ rule: `${kind}/${change}`, effect: 'left-out', reason: reasons[change] }] : [];
}

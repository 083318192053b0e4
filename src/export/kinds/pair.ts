import { canonicalJson } from '../../domain/canonical-json.ts';
import { isBlank, type Message, messageText } from '../../domain/message.ts';
import type { Pair, PairFlag } from '../../domain/pairs/pair.ts';
import { authorship, authorshipFinding } from '../authorship.ts';
import { trainFlags } from '../conversation/conversation.ts';
import type { ItemKind } from '../item.ts';
import { oneSidedFindings } from '../one-sided.ts';
import { historyFindings } from './history.ts';

const flags = {
  ungrounded: true,
  'hint-mention': true,
  'solves-alone': true,
  'off-policy': true,
  oracle: true,
  'verified-once': true,
  unverified: true,
  'selected-by-gap': true,
  'same-observation': true,
  'other-history': true,
} satisfies { [flag in PairFlag]: true };

export const pairKind: ItemKind<Pair> = {
  name: 'pair',
  plural: 'pairs',
  heading: 'Preference pairs',
  caution: 'Single-action DPO with trajectory-level settings collapses (ETO, table 4). None of these is called safe.',
  sideNames: ['chosen side', 'rejected side'],
  sources: {
    file: 'certificates.jsonl',
    meaning: 'the proof of each exported pair, by task, step and id',
    line: (pair) => `${canonicalJson(pair.certificate)}\n`,
  },
  conversationOf: ({ prompt, tools, chosen, rejected }) => ({ prompt, tools, sides: [chosen, rejected] }),
  withConversation: (pair, { prompt, tools, sides }) => ({
    ...pair,
    prompt,
    tools,
    chosen: sides[0]!,
    rejected: sides[1]!,
  }),
  splitOf: (pair) => pair.certificate.task.split,
  flags: Object.keys(flags),
  flagsOf: (pair) => pair.flags,
  check(pair) {
    if (pair.change) return historyFindings('pair', pair.change);
    const sides = [pair.chosen, pair.rejected];
    const trained = trainFlags(sides);
    const isEmpty = (side: Message[], which: number) =>
      side.some((turn, index) => trained[which]![index] && isBlank(messageText(turn)));
    if (sides.some(isEmpty)) {
      const reason = 'A turn of the model says nothing, which it would learn to do, or not to do.';
      return [{ rule: 'pair/empty-turn', effect: 'left-out', reason }];
    }
    if (JSON.stringify(pair.chosen) === JSON.stringify(pair.rejected)) {
      const reason = 'Chosen and rejected are the same text: there is no preference to learn.';
      return [{ rule: 'pair/same-sides', effect: 'left-out', reason }];
    }
    if (!pair.reasoningLeftOut) return [];
    const reason =
      "The policy also read the reasoning of its earlier messages, as a member of its own (reasoning: 'member'), for which rows have no place.";
    return [{ rule: 'pair/reasoning-left-out', effect: 'damaged', reason }];
  },
  *study(written, found) {
    const report = yield* authorship(written);
    return { findings: [...authorshipFinding(report), ...oneSidedFindings(found)], authorship: report };
  },
};

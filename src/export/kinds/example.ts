import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Example, TrajectoryOrigin } from '../../domain/example.ts';
import { isBlank, messageText } from '../../domain/message.ts';
import { trainFlags } from '../conversation/conversation.ts';
import type { RowFinding } from '../finding.ts';
import type { ItemKind, Study } from '../item.ts';
import { historyFindings } from './history.ts';

export const exampleKind: ItemKind<Example> = {
  name: 'example',
  plural: 'examples',
  heading: 'Trajectories to imitate',
  caution: 'Only the turns of the model are to be trained on, never what the environment wrote.',
  sideNames: ['trajectory'],
  sources: {
    file: 'sources.jsonl',
    meaning: 'whose trajectory each example is and how it ended, by task and id',
    line: ({ id, runId, taskId, group, split, origin, model, reward, success, confirmed }) =>
      `${canonicalJson({ id, runId, taskId, group, split, origin, model, reward, success, confirmed })}\n`,
  },
  conversationOf: ({ prompt, tools, turns }) => ({ prompt, tools, sides: [turns] }),
  withConversation: (example, { prompt, tools, sides }) => ({ ...example, prompt, tools, turns: sides[0]! }),
  splitOf: (example) => example.split,
  flags: [
    ...(['policy', 'imported', 'expert', 'scripted', 'recorded'] satisfies TrajectoryOrigin[]).map(originFlag),
    ...['oracle', 'off-policy', 'failed', 'success-unknown', 'unconfirmed'],
  ],
  flagsOf,
  check,
  study,
};

function originFlag(origin: TrajectoryOrigin): string {
  return `origin-${origin}`;
}

function flagsOf({ origin, success, confirmed }: Example): string[] {
  return [
    originFlag(origin),
    ...(origin === 'scripted' ? ['oracle'] : []),
    ...(origin === 'imported' ? ['off-policy'] : []),
    ...(success === false ? ['failed'] : []),
    ...(success === null ? ['success-unknown'] : []),
    ...(confirmed === false ? ['unconfirmed'] : []),
  ];
}

function check(example: Example): RowFinding[] {
  const { turns, success, confirmed, change } = example;
  if (change) return historyFindings('example', change);
  const findings: RowFinding[] = [];
  const [trained = []] = trainFlags([turns]);
  if (turns.some((turn, index) => trained[index] && isBlank(messageText(turn)))) {
    const reason = 'A turn of the model says nothing, which it would learn to do.';
    return [{ rule: 'example/empty-turn', effect: 'left-out', reason }];
  }
  if (turns.some((turn, index) => turn.role === 'assistant' && turns[index - 1]?.role === 'assistant')) {
    findings.push({
      rule: 'example/two-assistant-turns',
      effect: 'warning',
      reason: 'Two turns of the model stand in a row, with nothing between them that it could have answered.',
    });
  }
  if (success === false) {
    findings.push({ rule: 'example/failed', effect: 'warning', reason: 'The trajectory failed its task.' });
  } else if (confirmed === false) {
    const reason = "The success does not hold on variants of the task's data: it was luck.";
    findings.push({ rule: 'example/unconfirmed', effect: 'warning', reason });
  }
  return findings;
}

function* study(written: readonly Example[]): Generator<void, Study> {
  const findings: Study['findings'] = [];
  const scripted = written.filter(({ origin }) => origin === 'scripted').length;
  if (scripted > 0) {
    findings.push({
      rule: 'example/oracle',
      effect: 'warning',
      reason: `${scripted} of ${written.length} trajectories were written from the gold answer: they may act on what no observation has shown, and the model learns to guess.`,
    });
  }
  // Hashes: the texts together are as large as all rows.
  const texts = new Set<string>();
  for (const { prompt, turns } of written) {
    texts.add(
      createHash('sha256')
        .update(JSON.stringify([prompt, turns]))
        .digest('hex'),
    );
    yield;
  }
  if (texts.size < written.length) {
    findings.push({
      rule: 'example/same-text',
      effect: 'warning',
      reason: `${written.length - texts.size} of ${written.length} rows repeat the text of another one: they count twice.`,
    });
  }
  return { findings, authorship: null };
}

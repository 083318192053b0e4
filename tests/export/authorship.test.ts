// Layer: pure core.
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../src/domain/pairs/pair.ts';
import { seededRandom, shuffled } from '../../src/domain/statistics/random.ts';
import { splitThought } from '../../src/domain/thought.ts';
import { type AuthorshipReport, authorship as study } from '../../src/export/authorship.ts';
import { finished } from './finished.ts';
import { call, pair, say } from './pair-builder.ts';

const words = ['table', 'column', 'join', 'count', 'query', 'look', 'find', 'row', 'value', 'name'];

const authorship = (all: readonly Pair[]): AuthorshipReport => finished(study(all));

/** Forty pairs in eight groups, each side made by the function for its side. */
function pairs(chosen: (text: string) => string, rejected: (text: string) => string): Pair[] {
  const random = seededRandom('authorship');
  const text = () => Array.from({ length: 5 + random.below(20) }, () => words[random.below(words.length)]).join(' ');
  return Array.from({ length: 40 }, (_, index) =>
    pair({
      id: `p${index}`,
      group: `g${index % 8}`,
      chosen: [call('{"q":"a"}', chosen(text()))],
      rejected: [call('{"q":"b"}', rejected(text()))],
    }),
  );
}

/**
 * Pairs of several turns, some without a word. A third have sides of the same words in another order.
 * @param leaning in a hundred words, how many give their side away
 */
function wholeTrajectories(count: number, leaning: number): Pair[] {
  const random = seededRandom(`whole trajectories/${leaning}`);
  const word = () => `word${Math.min(random.below(60), random.below(60))}`;
  const side = (own: number) =>
    Array.from({ length: random.below(4) }, () => {
      const text = Array.from({ length: random.below(30) }, () => (random.below(100) < leaning ? `own${own}` : word()));
      return call('{}', text.join(' '));
    });
  return Array.from({ length: count }, (_, index) => {
    const chosen = side(0);
    const again = chosen.map((turn) => call('{}', shuffled(turn.content!.split(' '), random).join(' ')));
    const rejected = random.below(3) === 0 ? again : side(1);
    return pair({ id: `p${index}`, group: `g${random.below(17)}`, chosen, rejected });
  });
}

describe('authorship', () => {
  it('does not warn when both sides are written alike', () => {
    const report = authorship(
      pairs(
        (text) => text,
        (text) => text,
      ),
    );
    expect(report.warning).toBe(false);
    expect(report.length!.auc).toBeLessThan(0.7);
    expect(report.thoughtWords!.pairedAuc).toBeLessThan(0.75);
  });

  it('warns when one side has a way of speaking of its own', () => {
    const report = authorship(
      pairs(
        (text) => `Certainly ${text}`,
        (text) => `hmm ${text}`,
      ),
    );
    expect(report.thoughtWords!.auc).toBeGreaterThan(0.9);
    expect(report.warning).toBe(true);
  });

  it('warns when the chosen side is always shorter, whatever the direction', () => {
    const report = authorship(
      pairs(
        (text) => text.slice(0, 8),
        (text) => `${text} and ${text}`,
      ),
    );
    expect(report.length!.pairedAuc).toBe(1);
    expect(report.warning).toBe(true);
  });

  it('sees a small difference within pairs that is lost among different states', () => {
    // Both sides share a text of widely varying length, and the chosen one has a word more.
    const random = seededRandom('within');
    const alike = Array.from({ length: 40 }, (_, index) => {
      const text = 'look '.repeat(1 + random.below(200));
      return pair({ id: `p${index}`, group: `g${index % 8}`, chosen: [say(`${text}more`)], rejected: [say(text)] });
    });
    const report = authorship(alike);
    expect(report.length!.auc).toBeLessThan(0.6);
    expect(report.length!.pairedAuc).toBe(1);
  });

  it('does not learn the words of a task: it is judged on groups that it was not trained on', () => {
    // Each group has a word that gives its chosen side away, useless for every other group.
    const secret = Array.from({ length: 40 }, (_, index) =>
      pair({
        id: `p${index}`,
        group: `g${index % 8}`,
        chosen: [call('{}', `secret${index % 8}`)],
        rejected: [call('{"q":"b"}', 'plain')],
      }),
    );
    const shuffledSides = secret.map((item, index) =>
      index % 2 ? item : { ...item, chosen: item.rejected, rejected: item.chosen },
    );
    expect(authorship(shuffledSides).thoughtWords!.pairedAuc).toBeLessThan(0.7);
  });

  // Recorded when every fold was trained on its words one by one.
  it.each([
    [0, { auc: 0.48848, pairedAuc: 0.478333 }, { auc: 0.504138, pairedAuc: 0.492366 }],
    [1, { auc: 0.484114, pairedAuc: 0.5 }, { auc: 0.599121, pairedAuc: 0.596591 }],
    [4, { auc: 0.49083, pairedAuc: 0.488333 }, { auc: 0.722117, pairedAuc: 0.723485 }],
  ])(
    'gives whole trajectories that lean by %i in a hundred words the recorded figures',
    (leaning, length, thoughtWords) => {
      expect(authorship(wholeTrajectories(300, leaning))).toEqual({ length, thoughtWords, warning: false });
    },
  );

  it('gives fewer groups than folds the recorded figures', () => {
    const three = wholeTrajectories(40, 2).map((item, index) => ({ ...item, group: `g${index % 3}` }));
    expect(authorship(three)).toEqual({
      length: { auc: 0.547047, pairedAuc: 0.6 },
      thoughtWords: { auc: 0.638085, pairedAuc: 0.712121 },
      warning: false,
    });
  });

  it('can be left after each pair', () => {
    let parts = 0;
    for (const work = study(wholeTrajectories(300, 0)); !work.next().done; ) parts += 1;
    expect(parts).toBeGreaterThan(300);
  });

  it('says nothing with too few pairs or a single group', () => {
    const many = pairs(
      (text) => text,
      (text) => text,
    );
    expect(authorship(many.slice(0, 5))).toEqual({ length: null, thoughtWords: null, warning: false });
    expect(authorship(many.map((item) => ({ ...item, group: 'g' }))).length).toBeNull();
  });
});

describe('splitThought', () => {
  it.each([
    ['content beside a tool call', call('{}', 'Hm.'), 'Hm.', null],
    ['ReAct text', say('Thought: Hm.\nAction: go[x]\nmore'), 'Thought: Hm.', 'Action: go[x]\nmore'],
    ['a call written as text', say('Hm.\n<tool_call>\n{}\n</tool_call>'), 'Hm.', '<tool_call>\n{}\n</tool_call>'],
    ['a think block', say('<think>\nHm.\n</think>\n\nAction: go'), 'Hm.', 'Action: go'],
    ['text without a thought', say('SELECT 1'), '', 'SELECT 1'],
  ])('takes %s apart', (_what, message, thought, content) => {
    const split = splitThought(message);
    expect(split.thought).toBe(thought);
    expect(split.action.content).toBe(content);
  });
});

/**
 * How a simulated agent goes on from what it sees: it searches with words that it has read, opens what it takes for right, and answers, now and then too
 * early or from the wrong text. Policy and expert differ by their skill alone. All numbers are ours.
 */
import type { Action } from '../../domain/action.ts';
import type { Weighted } from '../random.ts';
import type { Lesson } from './lesson.ts';
import type { Traits } from './traits.ts';
import type { Visible } from './visible.ts';

export type Move = { thought: string; action: Action };
type Moves = Weighted<Move>[];

/** From here on an agent would rather give an answer than none. */
const lateTurn = 11;

export function movesIn(visible: Visible, traits: Traits, lesson: Lesson): Moves {
  const moves = visible.known === lesson.hops.length ? finish(traits, lesson) : seek(visible, traits, lesson);
  if (visible.turns >= lateTurn && visible.known < lesson.hops.length)
    moves.push({ weight: 0.6, value: answer(guess(visible, lesson)) });
  return moves.filter(({ weight }) => weight > 0);
}

/** Everything was read. */
function finish({ slipRate }: Traits, lesson: Lesson): Moves {
  const before = lesson.hops.at(-2)?.answer;
  const slip = before === undefined ? 0 : slipRate / 2;
  return [
    { weight: 1 - slip, value: answer(lesson.answers[0]!) },
    ...(before === undefined ? [] : [{ weight: slip, value: answer(before) }]),
  ];
}

function seek(visible: Visible, traits: Traits, lesson: Lesson): Moves {
  const { known, last, listed, opened, misread } = visible;
  const { slipRate, stopsBefore } = traits;
  const hop = lesson.hops[known]!;
  const misled = traits.misled?.hop === known ? traits.misled : null;
  const hasReadDecoy = misled !== null && opened.has(misled.decoy.id);
  // What it has read looks like the answer to it.
  if (hasReadDecoy && misled.disposition !== 'open' && last === 'wrong')
    return [
      { weight: 0.6, value: answer(misled.decoy.title) },
      { weight: 0.25, value: search(misled.decoy.title) },
      ...scaled(0.15, towards(visible, traits, lesson)),
    ];
  if (stopsBefore === known && last !== 'search')
    return [
      { weight: 0.7, value: answer(lesson.hops[known - 1]!.answer) },
      ...scaled(0.3, towards(visible, traits, lesson)),
    ];
  if (listed.some(({ id }) => id === hop.passage)) {
    const pull = misled === null ? 0 : pullOf(misled, hasReadDecoy);
    const decoy = listed.find(({ id }) => id === misled?.decoy.id);
    const others = listed.filter(({ id }) => id !== hop.passage && !opened.has(id));
    const drawn = decoy && !opened.has(decoy.id) ? pull : 0;
    const slip = others.length > 0 ? slipRate : 0;
    return [
      ...(decoy ? [{ weight: drawn, value: open(decoy) }] : []),
      { weight: (1 - drawn) * (1 - slip), value: open({ id: hop.passage, title: hop.title }) },
      ...others
        .slice(0, 2)
        .map((other) => ({ weight: ((1 - drawn) * slip) / Math.min(2, others.length), value: open(other) })),
    ];
  }
  if (last === 'wrong' && misread !== null)
    return [
      ...scaled(1 - slipRate, towards(visible, traits, lesson)),
      { weight: slipRate / 2, value: answer(misread) },
      { weight: slipRate / 2, value: search(misread) },
    ];
  return towards(visible, traits, lesson);
}

function pullOf({ disposition, belief }: NonNullable<Traits['misled']>, hasReadDecoy: boolean): number {
  if (disposition === 'stubborn') return 0.93;
  return hasReadDecoy && disposition === 'open' ? 0.04 : belief;
}

/** A search for the next hop: mostly by a query that finds its text, else by one that finds something else. */
function towards(
  { listed, opened }: Visible,
  { slipRate }: Traits,
  { question, hops }: Lesson,
  known = firstUnread(opened, hops),
): Moves {
  const hop = hops[known]!;
  const lost = listed.find(({ id }) => !opened.has(id) && id !== hop.passage);
  return [
    ...hop.queries.map((query) => ({ weight: (1 - 2 * slipRate) / hop.queries.length, value: search(query) })),
    { weight: slipRate, value: search(question) },
    ...(lost ? [{ weight: slipRate, value: open(lost) }] : [{ weight: slipRate, value: search(lastWords(question)) }]),
  ];
}

function firstUnread(opened: ReadonlySet<string>, hops: Lesson['hops']): number {
  return hops.findIndex(({ passage }) => !opened.has(passage));
}

/** Vague words: the end of the question, which rarely names anything. */
function lastWords(question: string): string {
  return question.replace(/[?.]/g, '').split(/\s+/).slice(-4).join(' ');
}

function guess({ known, misread, listed }: Visible, { hops }: Lesson): string {
  return hops[known - 1]?.answer ?? misread ?? listed[0]?.title ?? 'unknown';
}

function scaled(factor: number, moves: Moves): Moves {
  return moves.map(({ weight, value }) => ({ weight: factor * weight, value }));
}

function search(query: string): Move {
  return { thought: `I should look for ${query}.`, action: { tool: 'search', arguments: { query } } };
}

function open({ id, title }: { id: string; title: string }): Move {
  return { thought: `"${title}" may say it.`, action: { tool: 'open', arguments: { id } } };
}

function answer(text: string): Move {
  return { thought: `The answer should be ${text}.`, action: { tool: 'answer', arguments: { text } } };
}

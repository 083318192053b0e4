/** How good a policy is, from the samples of an evaluation. Every task weighs the same, however many of its samples have an outcome. */
import type { AuditFlags } from '../audit-flags.ts';
import { countBy } from '../count-by.ts';
import type { Interval } from '../statistics/interval.ts';
import { passAtK } from '../statistics/pass-at-k.ts';
import { type Estimate, ratioByGroup, shareByGroup } from '../statistics/ratio-by-group.ts';
import { mean } from '../statistics/sums.ts';

/** One sample of one task. */
export type Sample = {
  taskId: string;
  group: string;
  difficulty: string | null;
  /** Null while it is in progress. */
  ending: string | null;
  /**
   * `missing`: a fault, a ceiling or a cancellation ended it, which says nothing about the policy. `coincidental`: a success that did not
   * hold on variants of the data; it counts as a failure. `flagged`: one that the environment's audit flagged; it counts as a failure without
   * reward.
   */
  outcome: 'success' | 'coincidental' | 'flagged' | 'failure' | 'missing' | 'open';
  /** In [0, 1], as the environment gave it; null without an outcome. */
  reward: number | null;
  /** Of a success. Absent: not asked. */
  auditFlags?: AuditFlags;
};

export type EvaluationFigures = {
  /** Tasks with an outcome, and their groups. */
  tasks: number;
  groups: number;
  /** Tasks without a sample that has an outcome: they are in no figure. */
  tasksWithout: number;
  /** Samples asked for; those of them with an outcome, and those still in progress. */
  samples: number;
  known: number;
  open: number;
  successes: number;
  coincidental: number;
  /** Successes that the environment's audit flagged, by flag (one may have several), and the success rate if they counted; null if none was flagged. */
  flagged: { samples: number; byFlag: { [flag: string]: number }; successRateWith: number } | null;
  /** Mean over tasks of the share of their samples that succeeded. The same as pass@1. */
  successRate: Estimate;
  /** A flagged success counts as 0: what it was given says nothing about the task. */
  meanReward: Estimate;
  /** From 1 to the samples of a task. `tasks`: those with at least k outcomes. */
  passAt: (Estimate & { k: number; tasks: number })[];
  /** Success rate if all missing samples had failed, and if all had succeeded; null if none is missing. */
  bounds: Interval | null;
  /** Samples with an outcome, by ending. */
  endings: { [ending: string]: { samples: number; successes: number; coincidental: number; flagged: number } };
  /** Samples without one, by what ended them. */
  missing: { [ending: string]: number };
};

type Tally = {
  group: string;
  known: number;
  successes: number;
  flagged: number;
  missing: number;
  rewards: number[];
};

export function evaluationFigures(samples: readonly Sample[]): EvaluationFigures {
  const known = samples.filter(isKnown);
  const tallies = [...Map.groupBy(samples, ({ taskId }) => taskId).values()].map(tallyOf);
  const tested = tallies.filter((tally) => tally.known > 0);
  const most = Math.max(0, ...tallies.map((tally) => tally.known + tally.missing));
  const rate = (seed: string, estimate: typeof ratioByGroup, value: (tally: Tally) => number | null) =>
    estimate(overTasks(tallies, value), `evaluation/${seed}`);
  return {
    tasks: tested.length,
    groups: new Set(tested.map(({ group }) => group)).size,
    tasksWithout: tallies.length - tested.length,
    samples: samples.length,
    known: known.length,
    open: samples.filter(({ outcome }) => outcome === 'open').length,
    successes: known.filter(({ outcome }) => outcome === 'success').length,
    coincidental: known.filter(({ outcome }) => outcome === 'coincidental').length,
    flagged: flaggedOf(known, tallies),
    successRate: rate('success-rate', shareByGroup, (tally) =>
      tally.known === 0 ? null : tally.successes / tally.known,
    ),
    meanReward: rate('mean-reward', ratioByGroup, ({ rewards }) => mean(rewards)),
    passAt: Array.from({ length: most }, (_, index) => {
      const k = index + 1;
      const value = (tally: Tally) => passAtK(tally.known, tally.successes, k);
      return {
        k,
        ...rate(`pass-at-${k}`, shareByGroup, value),
        tasks: tallies.filter((tally) => value(tally) !== null).length,
      };
    }),
    bounds: boundsOf(tallies),
    endings: endingsOf(known),
    missing: countBy(
      samples.filter(({ outcome }) => outcome === 'missing'),
      ({ ending }) => ending ?? 'unknown',
    ),
  };
}

/** Labels of the tasks from easy to hard, as far as their names show the order; tasks without a label last. */
export function difficultiesOf(samples: readonly Sample[]): (string | null)[] {
  const order = (label: string | null) => {
    const known = ['easy', 'medium', 'hard', 'extra'].indexOf(label ?? '');
    return label === null ? 99 : known < 0 ? 98 : known;
  };
  const labels = [...new Set(samples.map(({ difficulty }) => difficulty))];
  return labels.sort((a, b) => order(a) - order(b) || (a! < b! ? -1 : 1));
}

function isKnown({ outcome }: Sample): boolean {
  return outcome !== 'missing' && outcome !== 'open';
}

function tallyOf(samples: readonly Sample[]): Tally {
  const known = samples.filter(isKnown);
  return {
    group: samples[0]!.group,
    known: known.length,
    successes: known.filter(({ outcome }) => outcome === 'success').length,
    flagged: known.filter(({ outcome }) => outcome === 'flagged').length,
    missing: samples.filter(({ outcome }) => outcome === 'missing').length,
    rewards: known.flatMap(({ outcome, reward }) => (outcome === 'flagged' ? 0 : (reward ?? []))),
  };
}

function flaggedOf(known: readonly Sample[], tallies: readonly Tally[]): EvaluationFigures['flagged'] {
  const flagged = known.filter(({ outcome }) => outcome === 'flagged');
  if (flagged.length === 0) return null;
  const rates = tallies.flatMap((tally) => (tally.known === 0 ? [] : (tally.successes + tally.flagged) / tally.known));
  return {
    samples: flagged.length,
    byFlag: countBy(
      flagged.flatMap(({ auditFlags }) => auditFlags ?? []),
      (flag) => flag,
    ),
    successRateWith: mean(rates)!,
  };
}

/** The contribution of each task to a mean over tasks. */
function overTasks(tallies: readonly Tally[], value: (tally: Tally) => number | null) {
  return tallies.flatMap((tally) => {
    const part = value(tally);
    return part === null ? [] : [{ group: tally.group, sums: { part, whole: 1 } }];
  });
}

function boundsOf(tallies: readonly Tally[]): Interval | null {
  if (tallies.every(({ missing }) => missing === 0)) return null;
  const ended = tallies.filter(({ known, missing }) => known + missing > 0);
  const rate = (successes: (tally: Tally) => number) =>
    mean(ended.map((tally) => successes(tally) / (tally.known + tally.missing)))!;
  return { lower: rate(({ successes }) => successes), upper: rate(({ successes, missing }) => successes + missing) };
}

function endingsOf(known: readonly Sample[]): EvaluationFigures['endings'] {
  const byEnding = [...Map.groupBy(known, ({ ending }) => ending ?? 'unknown')].sort(([a], [b]) => (a < b ? -1 : 1));
  const count = (own: readonly Sample[], wanted: Sample['outcome']) =>
    own.filter(({ outcome }) => outcome === wanted).length;
  return Object.fromEntries(
    byEnding.map(([ending, own]) => [
      ending,
      {
        samples: own.length,
        successes: count(own, 'success'),
        coincidental: count(own, 'coincidental'),
        flagged: count(own, 'flagged'),
      },
    ]),
  );
}

/** Tables of the results, for the documentation. */
import type { Agreement } from './agreement.ts';
import type { Results, Row } from './results.ts';

export function render({ date, seeds, tasks, rows }: Results): string {
  const byCondition = [...Map.groupBy(rows, ({ condition }) => condition)];
  return [
    `\`node bench/deep-search/run.ts\`, ${date}: ${tasks} train questions of the MuSiQue sample, two trajectories each (RRO: one); figures of ${seeds} seeds together.`,
    '',
    '| | trajectories (successes) | steps looked at | candidate critical | rollouts | tokens | pairs | rollouts a pair | tokens a pair | flipped, placebo | audited pairs: better / equal / wrong |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...byCondition.map(([name, own]) => figuresOf(name, own)),
    '',
    '| | failures, with a verified step | earliest verified step: exact, ±1, ±3 | before, after | any verified step | an evenly drawn step |',
    '|---|---|---|---|---|---|',
    ...byCondition.flatMap(([name, own]) => (own[0]!.agreement ? [agreementsOf(name, own)] : [])),
  ].join('\n');
}

function figuresOf(name: string, rows: Row[]): string {
  const sum = (of: (row: Row) => number | null) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const pairs = sum((row) => row.pairs);
  const mean = (of: (row: Row) => number | null) => sum(of) / rows.length;
  const isCso = rows[0]!.candidateSteps !== null;
  const audited = (['better', 'equal', 'wrong'] as const).map((quality) => sum((row) => row.audited[quality]));
  const cells = [
    name,
    `${count(sum((row) => row.trajectories))} (${count(sum((row) => row.successes))})`,
    count(sum((row) => row.steps)),
    isCso ? count(sum((row) => row.candidateSteps)) : '–',
    count(sum((row) => row.rollouts)),
    `${(sum((row) => row.tokens) / 1e6).toFixed(1)} M`,
    count(pairs),
    (sum((row) => row.rollouts) / pairs).toFixed(1),
    count(sum((row) => row.tokens) / pairs),
    isCso ? `${percent(mean((row) => row.flipRate))}, ${percent(mean((row) => row.placeboFlipRate))}` : '–',
    audited.join(' / '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function agreementsOf(name: string, rows: Row[]): string {
  const all = rows.map(({ agreement }) => agreement!);
  const sum = (of: (one: Agreement) => number) => all.reduce((total, one) => total + of(one), 0);
  const verified = sum((one) => one.verified);
  const shares = (of: (one: Agreement) => number[]) =>
    [0, 1, 2].map((place) => percent(sum((one) => of(one)[place]!) / verified)).join(', ');
  return `| ${[name, `${sum((one) => one.failures)}, ${verified}`, shares((one) => one.earliest), `${sum((one) => one.before)}, ${sum((one) => one.after)}`, shares((one) => one.any), shares((one) => one.chance)].join(' | ')} |`;
}

function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${Math.round(100 * share)} %`;
}

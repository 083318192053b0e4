/** Figures of several seeds in one cell: mean and standard error over the seeds. */
import { type PairQuality, pairQualities } from '../../src/domain/pairs/quality.ts';
import { meanWithError } from '../../src/domain/statistics/interval.ts';
import type { Measured } from './measure.ts';
import type { Results } from './program.ts';

export type OverSeeds = { mean: number; error: number | null };

type Figure = (run: Measured) => number | null | undefined;

/** The runs of one condition. */
export class Row {
  readonly condition: string;
  readonly runs: readonly Measured[];

  constructor(condition: string, runs: readonly Measured[]) {
    this.condition = condition;
    this.runs = runs;
  }

  /** Over the seeds that have the figure; null when none has. */
  of(figure: Figure): OverSeeds | null {
    const { mean, standardError } = meanWithError(this.runs.flatMap((run) => figure(run) ?? []));
    return mean === null ? null : { mean, error: standardError };
  }

  /** This row's figure minus that of another, seed by seed: the tasks of a seed are the same for all rows. */
  difference(other: Row, figure: Figure, digits: number): string {
    const theirs = new Map(other.runs.map((run) => [run.seed, figure(run)]));
    const own = (run: Measured) => {
      const [one, two] = [figure(run), theirs.get(run.seed)];
      return one == null || two == null ? null : one - two;
    };
    return other === this ? '' : cell(this.of(own), digits);
  }

  cell(figure: Figure, digits = 2): string {
    return cell(this.of(figure), digits);
  }

  percent(figure: Figure): string {
    return cell(this.of(figure), 0, 'percent');
  }

  /** Shares of pairs that are better, equal and wrong: of all pairs by exact values, or of the sample by reference rollouts. */
  qualities(by: 'exact' | 'reference'): string {
    const share = (run: Measured, quality: PairQuality) =>
      by === 'exact' ? run.truePairs?.[quality] : run.audit?.quality?.[quality].value;
    return pairQualities.map((quality) => this.percent((run) => share(run, quality))).join(' / ');
  }
}

/** A row for each condition, in the order of measurement. */
export function rowsOf({ measured }: Results): Row[] {
  return [...Map.groupBy(measured, ({ condition }) => condition)].map(([condition, runs]) => new Row(condition, runs));
}

/** E.g. `0.62 ± 0.03`; an en dash where the figure is unknown. */
export function cell(figure: OverSeeds | null, digits = 2, unit: 'number' | 'percent' = 'number'): string {
  if (figure === null) return '–';
  const write = (value: number) =>
    (unit === 'percent' ? 100 * value : value).toLocaleString('en-US', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  const error = figure.error === null ? '' : ` ± ${write(figure.error)}`;
  return `${write(figure.mean)}${error}${unit === 'percent' ? ' %' : ''}`;
}

/** A column in which no row has a figure is left away. */
export function markdownTable(header: string[], rows: string[][]): string {
  const filled = header.map((_, column) => rows.some((cells) => /[^–/ ]/.test(cells[column]!)));
  return [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.filter((_, column) => filled[column]).join(' | ')} |`)
    .join('\n');
}

/** What was measured, in a few sentences: the head of every table. */
export function headOf({ program, date, data, options, measured }: Results): string {
  const { tasks, audited, rollouts } = options;
  const counts = [...Map.groupBy(measured, ({ condition }) => condition).values()].map(({ length }) => length);
  const most = Math.max(...counts);
  const seeds = `${most} ${most === 1 ? 'seed' : 'seeds'}${counts.every((count) => count === most) ? '' : ' (rows without ± have one)'}`;
  return `Simulated: engine behaviour, not model quality. \`node bench/methods/${program}.ts\`, ${date}, 2 cores shared with other work: ${seeds} with ${tasks} tasks of ${data} each${most === 1 ? '' : ', none in common'}; ${audited} pairs a run audited with ${rollouts} reference rollouts a side. ${most === 1 ? '' : 'Mean ± standard error over the seeds. '}${agreementText(measured)}`.trimEnd();
}

/** Equal actions of several runs count once for each: their rollouts are the same. */
function agreementText(measured: Measured[]): string {
  const all = measured.flatMap(({ agreement }) => agreement ?? []);
  if (all.length === 0) return '';
  const actions = all.reduce((sum, { actions: own }) => sum + own, 0);
  const weighted = (pick: (one: (typeof all)[number]) => number) =>
    (all.reduce((sum, one) => sum + one.actions * pick(one), 0) / actions).toFixed(3);
  return `Exact values against reference rollouts, ${actions.toLocaleString('en-US')} actions: probability of success ${weighted(({ exact }) => exact)} against ${weighted(({ observed }) => observed)}.`;
}

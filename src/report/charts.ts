/** The two overview pictures. Text next to them gives their data, so that colour alone never carries information. */
import { isPolicyEnding } from '../domain/ending.ts';
import type { RunView, SummaryView } from '../views/run-view-types.ts';
import { html, type SafeHtml } from './html.ts';

const bins = 10;

/** The meaning of each method's figures: scores by a PRM, or values by rollouts; of the own action, and of the others. */
const wordsOf: { [method: string]: { what: string; own: string; others: string } } = {
  rro: { what: 'Values', own: 'the accepted actions', others: 'the others drawn' },
  ipr: { what: 'Values', own: "the expert's actions", others: "the policy's" },
};
const scoreWords = { what: 'Scores', own: "the policy's actions", others: 'alternatives' };

/** How the own actions scored compared with the others. */
export function scoreHistogram(view: RunView): SafeHtml {
  const steps = view.tasks.flatMap((task) => task.trajectories.flatMap((trajectory) => trajectory.steps));
  const own = steps.map((step) => step.score);
  const others = steps.flatMap((step) => step.alternatives.map((alternative) => alternative.score));
  const series = [
    { name: 'policy', heights: countByBin(own) },
    { name: 'alternative', heights: countByBin(others) },
  ];
  const tallest = Math.max(...series.flatMap((entry) => entry.heights));
  const missing = [...own, ...others].filter((score) => score === null).length;
  const words = wordsOf[view.run.method] ?? scoreWords;
  const caption = html`<figcaption>${words.what} of<span class="swatch policy"></span>${words.own} (${own.length - own.filter((score) => score === null).length})<span class="swatch alternative"></span>${words.others} (${others.filter((score) => score !== null).length}); without one: ${missing}.</figcaption>`;
  if (tallest === 0) return html`<figure><p class="soft">No action was scored.</p>${caption}</figure>`;
  const [width, height, left, top] = [480, 190, 30, 26];
  const binWidth = (width - left - 10) / bins;
  const barHeight = (value: number) => (value / tallest) * (height - top - 24);
  const floor = height - 24;
  const bars = series.map(({ name, heights }, which) =>
    heights.map((value, bin) => {
      if (value === 0) return null;
      const x = left + bin * binWidth + 3 + which * (binWidth / 2 - 3);
      return html`<rect class="bar-${name}" x="${round(x)}" y="${round(floor - barHeight(value))}" width="${round(binWidth / 2 - 4)}" height="${round(barHeight(value))}"><title>${name}, ${(bin / bins).toFixed(1)}–${((bin + 1) / bins).toFixed(1)}: ${value}</title></rect>`;
    }),
  );
  const { thresholds } = view.run;
  const lines = (
    thresholds
      ? ([
          ['low', thresholds.low],
          ['high', thresholds.high],
        ] as const)
      : []
  ).map(([name, value]) => {
    const x = round(left + value * bins * binWidth);
    return html`<line class="threshold" x1="${x}" x2="${x}" y1="4" y2="${floor}"/><text x="${x + 4}" y="13">${name} ${value}</text>`;
  });
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (value) =>
      html`<text x="${round(left + value * bins * binWidth)}" y="${height - 8}" text-anchor="middle">${value.toFixed(1)}</text>`,
  );
  return html`<figure><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Histogram of scores">
<line class="axis" x1="${left}" x2="${width - 10}" y1="${floor}" y2="${floor}"/><text x="${left - 4}" y="${top + 8}" text-anchor="end">${tallest}</text>
${bars}${lines}${ticks}</svg>${caption}</figure>`;
}

/** How the trajectories ended, as one bar. */
export function endingsBar(summary: SummaryView): SafeHtml {
  const parts = summary.endings.flatMap(({ ending, count, successes, flagged = 0 }) => {
    // Endings that are not the policy's fault are neither good nor bad: they say nothing about the policy.
    if (!isPolicyEnding(ending)) return [{ label: ending, count, kind: 'unsure' }];
    return [
      { label: `${ending}, success`, count: successes, kind: 'good' },
      { label: `${ending}, failure`, count: count - successes - flagged, kind: 'bad' },
      { label: `${ending}, flagged success`, count: flagged, kind: 'unsure' },
    ];
  });
  const shown = ['good', 'bad', 'unsure'].flatMap((kind) =>
    parts.filter((part) => part.kind === kind && part.count > 0),
  );
  const total = shown.reduce((sum, part) => sum + part.count, 0);
  if (total === 0) return html`<figure><p class="soft">No trajectory has ended.</p></figure>`;
  const [width, barHeight] = [480, 26];
  let x = 0;
  const bars = shown.map((part) => {
    const partWidth = (part.count / total) * width;
    const bar = html`<rect class="fill-${part.kind}" x="${round(x)}" y="0" width="${round(Math.max(1, partWidth - 1.5))}" height="${barHeight}"><title>${part.label}: ${part.count}</title></rect>`;
    x += partWidth;
    return bar;
  });
  const rows = shown.map(
    (part) =>
      html`<tr><td><span class="swatch ${part.kind}"></span>${part.label}</td><td class="number">${part.count}</td><td class="number">${((part.count / total) * 100).toFixed(0)} %</td></tr>`,
  );
  return html`<figure><svg viewBox="0 0 ${width} ${barHeight}" width="${width}" role="img" aria-label="Endings of the trajectories">${bars}</svg><table>${rows}</table><figcaption>How the trajectories ended. Faults, ceilings and cancellations are not the policy's doing.</figcaption></figure>`;
}

function countByBin(scores: readonly (number | null)[]): number[] {
  const heights = Array.from({ length: bins }, () => 0);
  for (const score of scores)
    if (score !== null) heights[Math.min(bins - 1, Math.max(0, Math.floor(score * bins)))]! += 1;
  return heights;
}

/** Two digits are finer than a screen shows, and keep the file small. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

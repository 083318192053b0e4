/** Curves over steps, as a training reports them. */
import { html, type SafeHtml } from './html.ts';

const [width, height, left, right, top, bottom] = [480, 170, 52, 10, 14, 24];

/** One curve; null where there is nothing to draw. The extremes stand beside it, so that colour and form never carry a figure alone. */
export function lineChart(name: string, points: readonly { x: number; y: number }[]): SafeHtml | null {
  const shown = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (shown.length < 2) return null;
  const [least, most] = [Math.min(...shown.map(({ y }) => y)), Math.max(...shown.map(({ y }) => y))];
  const [from, to] = [shown[0]!.x, shown.at(-1)!.x];
  const across = (x: number) => round(left + ((x - from) / Math.max(1e-12, to - from)) * (width - left - right));
  const up = (y: number) =>
    round(top + (1 - (most === least ? 0.5 : (y - least) / (most - least))) * (height - top - bottom));
  const path = shown.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${across(x)} ${up(y)}`).join('');
  const floor = height - bottom;
  return html`<figure><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${name} over steps">
<line class="axis" x1="${left}" x2="${width - right}" y1="${floor}" y2="${floor}"/><line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${floor}"/>
<text x="${left - 6}" y="${up(most) + 4}" text-anchor="end">${number(most)}</text>${most === least ? null : html`<text x="${left - 6}" y="${up(least) + 4}" text-anchor="end">${number(least)}</text>`}
<text x="${left}" y="${height - 8}">step ${from}</text><text x="${width - right}" y="${height - 8}" text-anchor="end">${to}</text>
<path class="curve" d="${path}"/></svg><figcaption>${name}: ${number(shown[0]!.y)} at step ${from}, ${number(shown.at(-1)!.y)} at step ${to}</figcaption></figure>`;
}

function number(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 10_000) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

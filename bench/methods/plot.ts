/** A simple plot as one SVG file: lines or single points with whiskers, axes, and a legend in words. */
export type Series = {
  name: string;
  points: {
    x: number;
    y: number /** Half the whisker's length; null for none. */;
    error: number | null;
    label?: string;
  }[];
};

export type Plot = {
  title: string;
  /** What a reader must know of the figures. Default: that they are simulated. */
  note?: string;
  x: { label: string; ticks: number[] };
  y: { label: string; ticks: number[] /** Default: as the number is. */; write?: (value: number) => string };
  series: Series[];
};

const [width, height, left, right, top, bottom] = [560, 340, 62, 150, 50, 46];
const colours = ['#1f5fa8', '#c2571a', '#2f7d4f', '#8a3f8f', '#6b6b6b', '#a8851f', '#111111', '#b03060'];
const marks = ['circle', 'square', 'diamond', 'triangle', 'circle'] as const;

export function plotSvg({
  title,
  note = 'simulated: engine behaviour, not model quality',
  x,
  y,
  series,
}: Plot): string {
  const across = scale(x.ticks, left, width - right);
  const up = scale(y.ticks, height - bottom, top);
  const write = y.write ?? String;
  const grid = y.ticks.map(
    (tick) =>
      `<line x1="${left}" x2="${width - right}" y1="${up(tick)}" y2="${up(tick)}" stroke="#e3e3e3"/><text x="${left - 8}" y="${up(tick) + 4}" text-anchor="end">${write(tick)}</text>`,
  );
  const below = x.ticks.map(
    (tick) => `<text x="${across(tick)}" y="${height - bottom + 18}" text-anchor="middle">${tick}</text>`,
  );
  const drawn = series.map(({ points }, index) => {
    const colour = colours[index % colours.length]!;
    const path = points.map((point, at) => `${at === 0 ? 'M' : 'L'}${across(point.x)} ${up(point.y)}`).join('');
    const line = points.length > 1 ? `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>` : '';
    const own = points.map(({ x: at, y: value, error, label }) => {
      const [px, py] = [across(at), up(value)];
      const whisker =
        error === null || error === 0
          ? ''
          : `<path d="M${px} ${up(value - error)}V${up(value + error)}M${px - 4} ${up(value - error)}h8M${px - 4} ${up(value + error)}h8" stroke="${colour}" fill="none"/>`;
      const text = label === undefined ? '' : `<text x="${px + 7}" y="${py - 7}">${escaped(label)}</text>`;
      return `${whisker}${mark(marks[index % marks.length]!, px, py, colour)}${text}`;
    });
    return line + own.join('');
  });
  const legend = series.map(
    ({ name }, index) =>
      `${mark(marks[index % marks.length]!, width - right + 16, top + 12 + 20 * index, colours[index % colours.length]!)}<text x="${width - right + 26}" y="${top + 16 + 20 * index}">${escaped(name)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="sans-serif" font-size="12" fill="#222">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>
<text x="${left}" y="38" fill="#777">${escaped(note)}</text>
${grid.join('')}${below.join('')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escaped(x.label)}</text>
<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>
<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#444"/>
${drawn.join('\n')}
${legend.join('')}
</svg>
`;
}

/** Ticks from 0 (or `from`) to the next round number above the largest value, some five of them. */
export function ticksTo(largest: number, from = 0): number[] {
  const rough = (largest - from) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((size) => size >= rough)!;
  const count = Math.ceil((largest - from) / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((from + index * step).toPrecision(6)));
}

function scale(ticks: number[], start: number, end: number): (value: number) => number {
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  return (value) => Math.round((start + ((value - first) / (last - first)) * (end - start)) * 10) / 10;
}

function mark(kind: (typeof marks)[number], x: number, y: number, colour: string): string {
  switch (kind) {
    case 'circle':
      return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`;
    case 'square':
      return `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" fill="${colour}"/>`;
    case 'diamond':
      return `<path d="M${x} ${y - 5}l5 5l-5 5l-5-5z" fill="${colour}"/>`;
    case 'triangle':
      return `<path d="M${x} ${y - 5}l5 9h-10z" fill="${colour}"/>`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

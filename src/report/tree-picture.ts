import type { AlternativeView, StepView, TrajectoryView } from '../views/run-view-types.ts';
import { html, type SafeHtml } from './html.ts';
import { outcomeMark, score } from './values.ts';

/** More lanes than this make the picture unreadable; the rest is counted in words. */
const mostLanes = 24;
const laneHeight = 18;
const left = 22;
const top = 18;

/**
 * The trajectory as a line of its actions, coloured by score. The alternatives are below it, each in its own lane as far as its longest branch
 * reaches: ✓ the branch succeeded, ✗ it failed, ? it has no outcome, ⚑ its success is flagged, · the alternative was not branched.
 */
export function treePicture(trajectory: TrajectoryView): SafeHtml {
  const { steps } = trajectory;
  if (steps.length === 0) return html`<p class="soft">No step was taken.</p>`;
  const limbs = steps.flatMap((step) =>
    step.alternatives.map((alternative) => ({ step, alternative, length: limbLength(alternative) })),
  );
  const columns = Math.max(steps.length, ...limbs.map((limb) => limb.step.step + limb.length)) + 1;
  const columnWidth = Math.min(46, Math.max(12, 1040 / columns));
  const x = (column: number) => Math.round(left + column * columnWidth);
  const { placed, lanes, leftOver } = placeInLanes(limbs);
  const width = x(columns) + 30;
  const height = top + 20 + lanes * laneHeight;

  const numbers = steps
    .filter((step) => columnWidth >= 20 || step.step % 5 === 0 || step.step === 1)
    .map((step) => html`<text x="${x(step.step)}" y="9" text-anchor="middle">${step.step}</text>`);
  const branches = placed.map(({ step, alternative, length, lane }) => {
    const y = top + 20 + lane * laneHeight;
    const from = x(step.step - 1);
    const at = x(step.step);
    const end = x(step.step + length);
    const mark = verdictMark(alternative);
    return html`<path class="limb" d="M${from} ${top}C${from + 4} ${y} ${from + 4} ${y} ${at} ${y}H${end}"/>${dot(at, y, 4, alternative.score, `step ${step.step}, ${alternative.source}: ${score(alternative.score)}, ${alternative.verdict}`)}<text class="end-${mark.kind}" x="${end + 7}" y="${y + 4}">${mark.sign}</text>`;
  });
  const trunkEnd = outcomeMark(trajectory);
  const words = leftOver > 0 ? html`<p class="soft">${leftOver} more alternatives are not drawn.</p>` : null;
  return html`<div class="tree"><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Tree of the trajectory">${numbers}${branches}<path class="trunk" d="M${left} ${top}H${x(steps.length)}"/><rect class="bar-policy" x="${left - 4}" y="${top - 4}" width="8" height="8"/>${steps.map((step) => ownDot(step, x(step.step)))}<text class="end-${trunkEnd.kind}" x="${x(steps.length) + 9}" y="${top + 4}">${trunkEnd.sign}</text></svg></div>${words}`;
}

function ownDot(step: StepView, at: number): SafeHtml {
  return dot(
    at,
    top,
    step.candidateCritical || step.firstError ? 7 : 5,
    step.score,
    `step ${step.step}, policy: ${score(step.score)}${step.candidateCritical ? ', candidate critical step' : ''}${step.firstError ? ', first wrong step' : ''}`,
  );
}

function dot(x: number, y: number, radius: number, value: number | null, title: string): SafeHtml {
  return html`<circle class="${value === null ? 'unscored' : `s${Math.min(4, Math.max(0, Math.floor(value * 5)))}`}" cx="${x}" cy="${y}" r="${radius}"><title>${title}</title></circle>`;
}

function verdictMark(alternative: AlternativeView): { sign: string; kind: 'good' | 'bad' | 'unsure' } {
  switch (alternative.verdict) {
    case 'verified':
      return { sign: '✓', kind: 'good' };
    case 'not-verified':
      return { sign: '✗', kind: 'bad' };
    case 'undecided':
      return { sign: '?', kind: 'unsure' };
    case 'not-branched':
      return { sign: '·', kind: 'unsure' };
  }
}

function limbLength(alternative: AlternativeView): number {
  return alternative.branches.reduce((longest, branch) => Math.max(longest, branch.steps), 0);
}

type Limb = { step: StepView; alternative: AlternativeView; length: number };

/** Gives each limb the first lane that is free from its root to its mark. The last steps come first, so that roots cross few limbs. */
function placeInLanes(limbs: readonly Limb[]): {
  placed: (Limb & { lane: number })[];
  lanes: number;
  leftOver: number;
} {
  const freeUntil: number[] = [];
  const placed: (Limb & { lane: number })[] = [];
  let leftOver = 0;
  for (const limb of [...limbs].sort((a, b) => b.step.step - a.step.step)) {
    const end = limb.step.step + limb.length + 1;
    let lane = freeUntil.findIndex((start) => start > end);
    if (lane === -1) lane = freeUntil.length;
    if (lane >= mostLanes) {
      leftOver += 1;
      continue;
    }
    freeUntil[lane] = limb.step.step - 1;
    placed.push({ ...limb, lane });
  }
  return { placed, lanes: freeUntil.length, leftOver };
}

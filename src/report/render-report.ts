import type { RunView, TaskView } from '../views/run-view-types.ts';
import { evaluationSection } from './evaluation-section.ts';
import { html, type SafeHtml } from './html.ts';
import { page } from './page.ts';
import { ledgerSection, runHeader, summarySection } from './summary-section.ts';
import { taskSection, taskTags } from './task-section.ts';
import { clip } from './values.ts';

/** Largest report in bytes: beyond this, browsers get slow and mail refuses it. */
export const defaultReportBytes = 10_000_000;

/** Bytes kept for page, summary and the sentences about omitted tasks. */
const reservedBytes = 60_000;

/**
 * The run as one self-contained HTML file: no script, no network, no font. All texts are escaped. A content security policy also forbids the browser
 * to load or run anything, in case escaping ever fails.
 *
 * Tasks that would make it larger than `maxBytes` are listed without their trees. The least informative ones lose theirs first: those without pairs,
 * and of these the ones without a failure. The report says how many.
 */
export function renderReport(view: RunView, options: { maxBytes?: number } = {}): string {
  const { maxBytes = defaultReportBytes } = options;
  const { evaluation } = view;
  const head = [
    runHeader(view),
    ...(evaluation === null ? [summarySection(view)] : [evaluationSection(evaluation), ledgerSection(view)]),
  ];
  let left = maxBytes - reservedBytes - head.reduce((sum, part) => sum + bytes(part), 0);

  const lines = new Map<TaskView, SafeHtml>();
  for (const task of view.tasks) {
    const line = html`<p>${taskTags(task)} ${clip(task.title, 160)} <span class="soft">${task.id}</span></p>`;
    if (bytes(line) > left) break;
    lines.set(task, line);
    left -= bytes(line);
  }
  const trees = new Map<TaskView, SafeHtml>();
  for (const task of [...lines.keys()].sort((a, b) => worth(b) - worth(a))) {
    const tree = taskSection(task);
    // The tree replaces the line, whose bytes become free.
    const price = bytes(tree) - bytes(lines.get(task)!);
    if (price > left) continue;
    trees.set(task, tree);
    left -= price;
  }
  return page(
    view.run.id,
    html`${head}<section><h2>Tasks</h2>${limits(view, lines.size, trees.size)}${[...lines].map(([task, line]) => trees.get(task) ?? line)}</section>`,
  ).text;
}

function limits(view: RunView, listed: number, drawn: number): SafeHtml | null {
  const all = view.tasks.length;
  if (all === 0) return html`<p class="soft">No task has been run.</p>`;
  const legend = html`<p class="soft">In the pictures the upper line is the policy's own trajectory. Each dot is an action; its colour is its score, from red (0) to green (1). A dashed dot was not scored, a large one is a candidate critical step. The lines below it are the alternatives, and how far their branches went: ✓ verified, ✗ not verified, ? undecided, · not branched.</p>`;
  if (drawn === all)
    return html`<p class="soft">Open a task for its trajectories, alternatives, branches and pairs.</p>${legend}`;
  const unlisted = all - listed;
  return html`<p class="notice">The report would be too large with all trees: ${all - drawn} of ${all} tasks are shown without theirs${unlisted > 0 ? `, ${unlisted} of them not at all` : ''}. Tasks with pairs come first, then failures. Use crux show for the others.</p>${legend}`;
}

/** How much a reader learns from the task's tree. */
function worth(task: TaskView): number {
  if (task.pairs.length > 0) return 2;
  return task.trajectories.some((trajectory) => trajectory.success === false) ? 1 : 0;
}

function bytes(part: SafeHtml): number {
  return Buffer.byteLength(part.text, 'utf8');
}

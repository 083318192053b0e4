// Layer: pure core.
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from '../../src/report/html.ts';
import { renderReport } from '../../src/report/index.ts';
import type { RunView } from '../../src/views/run-view-types.ts';
import { syntheticRun } from './synthetic-run.ts';

const hostile = [
  '<script>alert(1)</script>',
  '</pre></div></script><img src=x onerror=alert(1)>',
  `" onmouseover="alert(1)" '`,
  '<!-- <style> --> &lt;b&gt; ]]>',
  'user\u202enimda\u202c \u2066x\u2069 \u200b\u0000\u009b\ud800',
];

/** The run with a hostile text in every place where a model, a task or a user may put one. */
function poison(value: unknown, text: string): unknown {
  if (typeof value === 'string') return closedSets.has(value) ? value : text;
  if (Array.isArray(value)) return value.map((item) => poison(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, poison(member, text)]));
}
const closedSets = new Set([
  'verified',
  'not-verified',
  'undecided',
  'not-branched',
  'assistant',
  'user',
  'system',
  'tool',
]);

/** Every tag and attribute name that the text opens outside of text content, found by a reader of our own. */
function markup(page: string): Set<string> {
  const found = new Set<string>();
  for (const [, name, attributes] of page.matchAll(/<\/?([A-Za-z!][\w-]*)((?:[^"'>]|"[^"]*"|'[^']*')*)>/g)) {
    found.add(name!.toLowerCase());
    for (const [, attribute] of attributes!.matchAll(/([\w-]+)\s*=\s*"[^"]*"/g))
      found.add(`@${attribute!.toLowerCase()}`);
  }
  return found;
}

describe('escaping', () => {
  it('escapes markup and quotes and shows characters that hide or reorder text', () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
    expect(escapeHtml('a\u202eb\u0000c\u200bd\n\te')).toBe('a⟦U+202E⟧b⟦U+0000⟧c⟦U+200B⟧d\n\te');
    expect(escapeHtml('é 漢 😀')).toBe('é 漢 😀');
  });

  it('escapes values, joins lists, leaves null out, and takes nothing else for markup', () => {
    expect(html`<p>${'<b>'}${[html`<i>${1}</i>`, 'x']}${null}</p>`.text).toBe('<p>&lt;b&gt;<i>1</i>x</p>');
    const forged = JSON.parse('{"text":"<script>"}');
    expect(html`${forged}`.text).not.toContain('<script>');
  });

  it.each(hostile)('adds no tag and no attribute for %j anywhere in the run', (text) => {
    const clean = syntheticRun(6);
    const page = renderReport(poison(clean, text) as RunView);
    expect(page).not.toContain(text);
    expect(markup(page)).toEqual(markup(renderReport(clean)));
    for (const hidden of '\u0000\u200b\u202c\u202e\u2066\u2069\u009b') expect(page).not.toContain(hidden);
    expect(page.isWellFormed()).toBe(true);
  });
});

describe('renderReport', () => {
  it('is one file that loads and runs nothing', () => {
    const page = renderReport(syntheticRun(20));
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<iframe|@import|url\(|https?:|src=|href=/i);
  });

  it('closes every element that it opens', () => {
    const page = renderReport(syntheticRun(30));
    for (const name of [
      'div',
      'details',
      'summary',
      'svg',
      'table',
      'tr',
      'td',
      'pre',
      'figure',
      'section',
      'dl',
      'p',
      'span',
      'ul',
      'li',
      'text',
      'circle',
    ]) {
      const opened = [...page.matchAll(new RegExp(`<${name}[ >]`, 'g'))].length;
      expect([name, opened]).toEqual([name, [...page.matchAll(new RegExp(`</${name}>`, 'g'))].length]);
    }
  });

  it('says unknown, not scored and none made instead of 0', () => {
    const view = syntheticRun(1);
    view.summary.comparison = {
      candidatesPerStep: null,
      rolloutsPerVerifiedPair: null,
      tokensPerVerifiedPair: null,
      costPerVerifiedPairMicroUsd: null,
      supervisedShare: null,
      supervisedSteps: { count: 0, of: 0 },
    };
    view.summary.flips = null;
    view.summary.placeboFlips = { count: 0, of: 0, faulted: 0 };
    view.summary.candidateSteps = null;
    view.ledger = [
      {
        role: 'policy',
        calls: 3,
        cachedCalls: null,
        promptTokens: null,
        completionTokens: null,
        costMicroUsd: null,
        throttledMs: null,
        queuedMs: null,
      },
    ];
    view.tasks[0]!.trajectories[0]!.steps = [
      {
        step: 1,
        thought: '',
        action: 'go',
        score: null,
        observation: null,
        candidateCritical: false,
        firstError: false,
        alternatives: [],
        unpaired: {},
        ownBranches: [],
      },
    ];
    const page = renderReport(view);
    expect([...page.matchAll(/>unknown</g)].length).toBeGreaterThanOrEqual(4 + 1 + 2 * 4);
    expect([...page.matchAll(/none made/g)]).toHaveLength(2);
    expect(page).toContain('not scored');
    expect(page).toContain('no observation');
    expect(page).toContain('No action was scored.');
    expect(page).not.toMatch(/NaN|Infinity|undefined|\$0/);
  });

  it('shows the placebo flip rate beside the flip rate, each with its interval', () => {
    const page = renderReport(syntheticRun(1));
    expect(page).toContain('41 of 131 = 31 %');
    expect(page).toContain('2 of 13 = 15 % (4–42 %)');
  });

  it('leaves a sum with an unknown part unknown', () => {
    const row = /<tr><td>all<\/td>(.*?)<\/tr>/.exec(renderReport(syntheticRun(1)))![1]!;
    expect([...row.matchAll(/>([^<>]+)<\/td>/g)].map(([, cell]) => cell)).toEqual([
      '4,717',
      'unknown',
      '5,530,107',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
    ]);
  });

  it('says of each line of the ledger how long its calls were throttled, and what environments did', () => {
    const page = renderReport(syntheticRun(1));
    const lastCells = [...page.split('<h2>Ledger</h2>')[1]!.matchAll(/<td class="number">([^<]*)<\/td><\/tr>/g)].map(
      ([, cell]) => cell,
    );
    expect(lastCells.slice(0, 3)).toEqual(['0 s', '1 min 5 s', 'unknown']);
    expect(page).toContain('Environment steps: 2,305, of which 1,604 fresh and unknown from the cache; 377 more');
  });

  it('cuts a text of megabytes and says how much is missing', () => {
    const view = syntheticRun(1);
    view.tasks[0]!.trajectories[0]!.steps[0]!.observation = 'x'.repeat(5_000_000);
    const page = renderReport(view);
    expect(page.length).toBeLessThan(100_000);
    expect(page).toContain('(4,996,000 more characters)');
  });

  it('is the same text for the same run', () => {
    expect(renderReport(syntheticRun(5))).toBe(renderReport(syntheticRun(5)));
  });

  it('stays within its limit, keeps tasks with pairs, and says what is missing', () => {
    const view = syntheticRun(400);
    const whole = renderReport(view);
    expect(whole).not.toContain('would be too large');
    const small = renderReport(view, { maxBytes: 1_000_000 });
    expect(Buffer.byteLength(small)).toBeLessThanOrEqual(1_000_000);
    expect(small).toMatch(/\d+ of 400 tasks are shown without theirs/);
    // Every task is still listed, and trees went to tasks with pairs first.
    for (const task of view.tasks) expect(small).toContain(`>${task.id}</span>`);
    const drawn = [...small.matchAll(/<details class="task">.*?<\/summary>/gs)].map(([line]) =>
      line.includes('class="tag good">1 pair<'),
    );
    expect(drawn.filter((withPair) => withPair).length / drawn.length).toBeGreaterThan(0.9);
  });

  it('lists only as many tasks as fit when even the lines are too many', () => {
    const view = syntheticRun(1);
    view.tasks = Array.from({ length: 5000 }, (_, index) => ({ ...view.tasks[0]!, id: `task-${index}` }));
    const page = renderReport(view, { maxBytes: 300_000 });
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(300_000);
    expect(page).toMatch(/[1-9]\d* of them not at all/);
  });

  it('renders a run without tasks', () => {
    const view = syntheticRun(0);
    view.summary.endings = [];
    expect(renderReport(view)).toContain('No task has been run.');
  });
});

it('a task whose group is not known is shown without an empty name', () => {
  const run = syntheticRun(1);
  expect(renderReport(run)).toContain('<p class="soft">group ');
  expect(renderReport({ ...run, tasks: run.tasks.map((task) => ({ ...task, group: '' })) })).not.toContain('>group ');
});

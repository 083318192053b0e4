// Layer: end to end: `crux run` and the commands that read its results, on the test run's Temporal server.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project, simulateDemoModels } from './crux.ts';

const react = 'e2e-react';
const tools = 'e2e-tools';

let project: Project;
let simulation: Simulation;
let summary: RunSummary;

beforeAll(async () => {
  project = new Project({ TEMPORAL_ADDRESS: inject('temporal').address });
  simulation = await simulateDemoModels(project, { seed: 2 });
  // What `npm init` writes. The configuration is an ES module all the same.
  project.write('package.json', '{ "type": "commonjs" }');
  project.write('crux.config.ts', demoConfig(simulation.url));
  project.write('tools.config.ts', demoConfig(simulation.url, { run: "{ format: 'tools' }" }));
  summary = await project.json<RunSummary>('run', 'cso', '--run-id', react, '--seed', '2');
});

afterAll(async () => {
  await simulation.close();
  await project.remove();
});

const files = (folder: string, names: string[]) =>
  names.map((name) =>
    createHash('sha256')
      .update(readFileSync(project.path(folder, name)))
      .digest('hex'),
  );

describe('crux run', () => {
  test('mines the failures and pays every call once', () => {
    expect(summary).toMatchObject({ runId: react, state: 'finished', tasks: { total: 16, done: 16, stoppedBy: {} } });
    expect(summary.pairs.total).toBeGreaterThan(0);
    const calls = summary.ledger.reduce((sum, line) => sum + line.calls, 0);
    expect(simulation.stats().requests).toBe(calls);
    // No model of this configuration has a price.
    expect(summary.ledger.map(({ costMicroUsd }) => costMicroUsd)).toEqual(summary.ledger.map(() => null));
  });

  test('started again under its id it is taken up, and pays nothing', async () => {
    const before = simulation.stats().requests;
    expect(await project.json<RunSummary>('run', 'cso', '--run-id', react, '--seed', '2')).toEqual(summary);
    expect(simulation.stats().requests).toBe(before);
  });

  test('an id that another setting has is refused', async () => {
    const { code, stderr } = await project.crux('run', 'cso', '--run-id', react, '--seed', '3');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/"e2e-react" exists with other settings/),
    });
  });

  test('works with native tool calls too, and its pairs keep them', async () => {
    const { code, stdout, stderr } = await project.crux(
      ...['--config', 'tools.config.ts', 'run', 'cso', '--run-id', tools, '--limit', '6'],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^State +finished/m);
    expect(stderr).toMatch(/\d+\/6 tasks/);
    const { rows } = await project.json<{ rows: number }>('export', tools, '--format', 'trl', '--out', 'tools-pairs');
    const pairs = readFileSync(project.path('tools-pairs/pairs.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(pairs).toHaveLength(rows);
    expect(rows).toBeGreaterThan(0);
    for (const { chosen } of pairs)
      expect(chosen[0].tool_calls[0].function.name).toMatch(/^(execute_sql|submit|skip)$/);
  });
});

describe('commands that read', () => {
  test('status lists the run, and prints JSON that says the same', async () => {
    const { stdout } = await project.crux('status', react);
    expect(stdout).toMatch(/^e2e-react +cso +sql +finished +16\/16 /m);
    const status = await project.json('status', react);
    expect(status).toMatchObject({ runId: react, state: 'finished', tasks: 16, pairs: summary.pairs.total });
  });

  test('show and watch give the summary that the run ended with', async () => {
    expect(await project.json('show', react)).toEqual(summary);
    expect(await project.json('watch', react)).toEqual(summary);
    const { stdout } = await project.crux('show', react);
    expect(stdout).toMatch(
      /^Environment steps: [\d,]+, of which [\d,]+ fresh and [\d,]+ from cache; [\d,]+ more replayed$/m,
    );
  });

  test('show --task draws the tree of one task', async () => {
    type Task = {
      id: string;
      pairs: { id: string; step: number }[];
      trajectories: { steps: { candidateCritical: boolean }[] }[];
      ledger: { step: number; pairs: number }[];
    };
    const all = await Promise.all(
      ['ferry_line-5', 'observatory-1'].map((id) => project.json<Task>('show', react, '--task', id)),
    );
    for (const task of all) {
      expect(task.trajectories).toHaveLength(1);
      expect(task.ledger.map(({ step }) => step)).toEqual(task.trajectories[0]!.steps.map((_, index) => index + 1));
      expect(task.ledger.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(task.pairs.length);
    }
    const { stdout } = await project.crux('show', react, '--task', all[0]!.id);
    expect(stdout).toMatch(/^step +candidates +PRM calls +rollouts +env\. steps +fresh/m);
    const critical = all[0]!.trajectories[0]!.steps.filter(({ candidateCritical }) => candidateCritical).length;
    expect(stdout.match(/^◆ \d+\. \(\d\.\d\d\) /gm) ?? []).toHaveLength(critical);
    const { code, stderr } = await project.crux('show', react, '--task', 'nothing');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('It has ferry_line-1') });
  });

  test('verify-pair replays every certificate', async () => {
    const checks = await project.json<{ ok: boolean; comparedObservations: number }[]>('verify-pair', react);
    expect(checks).toHaveLength(summary.pairs.total);
    for (const check of checks) expect(check).toMatchObject({ ok: true, comparedObservations: expect.any(Number) });
  });

  test('report writes one file, and overwrites no other', async () => {
    const { file } = await project.json<{ file: string }>('report', react);
    expect(readFileSync(file, 'utf8')).toContain(`<title>${react}`);
    project.write('mine.html', 'mine');
    const { code, stderr } = await project.crux('report', react, '--out', 'mine.html');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/mine\.html exists\..*--force/) });
    expect(readFileSync(project.path('mine.html'), 'utf8')).toBe('mine');
    expect((await project.crux('report', react, '--out', 'mine.html', '--force')).code).toBe(0);
    expect(readFileSync(project.path('mine.html'), 'utf8')).toContain(react);
  });

  // `status` has its own test (tests/cli/commands/status.test.ts).
  test('none of them loads a Temporal client', async () => {
    // A preloaded module that notes what is imported and required.
    project.write(
      'note.mjs',
      `import { registerHooks } from 'node:module';
       import { appendFileSync } from 'node:fs';
       registerHooks({ load: (url, context, next) => (appendFileSync('loaded.txt', url + '\\n'), next(url, context)) });`,
    );
    for (const command of [
      ['show', react],
      ['export', react, '--format', 'kto', '--out', 'kto'],
      ['report', react],
    ]) {
      const { code, stderr } = await project.start(command, { NODE_OPTIONS: '--import ./note.mjs' }).ended;
      expect(code, stderr).toBe(0);
    }
    const loaded = readFileSync(project.path('loaded.txt'), 'utf8').split('\n');
    expect(loaded.filter((url) => url.endsWith('/src/cli/main.ts'))).toHaveLength(3);
    expect(loaded.filter((url) => url.includes('@temporalio'))).toEqual([]);
  });
});

describe('crux export', () => {
  test('the same store gives the same bytes twice', async () => {
    for (const out of ['first', 'second']) await project.json('export', react, '--format', 'trl', '--out', out);
    const names = ['pairs.jsonl', 'certificates.jsonl', 'lint.json', 'training.json', 'training.md'];
    expect(files('first', names)).toEqual(files('second', names));
  });

  test('nothing is overwritten without --force', async () => {
    mkdirSync(project.path('taken'));
    project.write('taken/pairs.jsonl', 'mine');
    const refused = await project.crux('export', react, '--format', 'trl', '--out', 'taken');
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/would overwrite .*pairs\.jsonl\. .*--force/),
    });
    expect(readFileSync(project.path('taken/pairs.jsonl'), 'utf8')).toBe('mine');
    expect(existsSync(project.path('taken/certificates.jsonl'))).toBe(false);
    const forced = await project.crux('export', react, '--format', 'trl', '--out', 'taken', '--force');
    expect(forced.code, forced.stderr).toBe(0);
    expect(files('taken', ['pairs.jsonl'])).toEqual(files('first', ['pairs.jsonl']));
  });

  test.each(['llama-factory', 'openai', 'crux-masked'])('%s is written, or refused with the reason', async (format) => {
    const { code, stdout, stderr } = await project.crux('export', react, '--format', format, '--out', `as-${format}`);
    // Token ids need the target's tokenizer, which this run does not name.
    if (format === 'crux-masked')
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--tokenizer') });
    else expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`${format}: `) });
  });

  test('an unknown format is refused with the known ones', async () => {
    const { code, stderr } = await project.crux('export', react, '--format', 'parquet', '--out', join('as', 'parquet'));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/"parquet"\. .*trl.*llama-factory/) });
  });
});

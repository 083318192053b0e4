/** All that a user gets out of a store, as data that can be compared: what `show`, `export` and `verify-pair` say of each run. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { actionFormats, exampleFormats, pairFormats } from '../../src/export/formats.ts';
import { exportExamples, exportPairs, exportProcessExamples } from '../../src/export/index.ts';
import type { Store } from '../../src/store/store.ts';
import { loadProcessExamples } from '../../src/views/calibration.ts';
import { loadExamples } from '../../src/views/examples.ts';
import { loadPairs } from '../../src/views/pairs.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { runView } from '../../src/views/run-view.ts';
import { verifyPair } from '../../src/views/verify-pair.ts';

const tokenizer = join(import.meta.dirname, '../fixtures/tokenizer');

export type RunOutputs = {
  summary: unknown;
  view: unknown;
  /** By format, then by name: the text of each file. */
  exports: { [format: string]: { [file: string]: string } };
  verified: { pairId: string; ok: boolean; comparedObservations: number; problems: string[] }[];
};

export async function outputsOf(store: Store, environments: EnvironmentRegistry, runId: string): Promise<RunOutputs> {
  const verified: RunOutputs['verified'] = [];
  for (const row of await store.findings.pairs(runId)) verified.push(await verifyPair(store, environments, row));
  return {
    summary: asJson(await runSummary(store, runId)),
    view: asJson(await runView(store, runId)),
    exports: await exportsOf(store, environments, runId),
    verified,
  };
}

async function exportsOf(store: Store, environments: EnvironmentRegistry, runId: string) {
  const pairs = await loadPairs(store, runId);
  const examples = await loadExamples(store, runId);
  const branches = await store.findings.branches(runId);
  const actions = branches.length === 0 ? [] : await loadProcessExamples(store, environments, runId);
  const written: RunOutputs['exports'] = {};
  if (pairs.length > 0)
    for (const { name } of pairFormats) written[name] = await filesOf(name, (options) => exportPairs(pairs, options));
  if (examples.length > 0)
    for (const { name } of exampleFormats)
      written[name] = await filesOf(name, (options) => exportExamples(examples, options));
  if (actions.length > 0)
    for (const { name } of actionFormats)
      written[name] = await filesOf(name, (options) => exportProcessExamples(actions, options));
  return written;
}

async function filesOf(
  format: string,
  write: (options: { format: string; out: string; force: boolean; tokenizer: string }) => Promise<unknown>,
): Promise<{ [file: string]: string }> {
  const out = await mkdtemp(join(tmpdir(), 'crux-outputs-'));
  try {
    await write({ format, out, force: true, tokenizer });
    const names = (await readdir(out)).toSorted();
    const texts = names.map(async (name) => [name, (await readFile(join(out, name), 'utf8')).replaceAll(out, '<out>')]);
    return Object.fromEntries(await Promise.all(texts)) as { [file: string]: string };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** As it is printed with `--json`. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

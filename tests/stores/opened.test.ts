// Layer: a store that an earlier version made, opened by this one. What users had got out of it they must get again: see record.ts.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { interCodeSql } from '../../src/environments/intercode-sql/environment.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { actionFormats } from '../../src/export/formats.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';
import { differences } from './differences.ts';
import { outputsOf, type RunOutputs } from './outputs.ts';

const versions = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

const methodsOf: { [version: string]: string[] } = {
  '0.1.0': ['cso', 'eto', 'evaluate', 'ipr', 'rft', 'rro', 'sft', 'step-dpo'],
};

/** What views say differently on purpose, by path. */
const onPurpose: readonly { path: RegExp; reason: string }[] = [
  { path: /^\.estimatedFalsePairs(\.share)?: /, reason: 'a share of too few observations is unknown, with its counts' },
  {
    path: /^\.summary\.(estimatedFalseShare|pairQuality\.\w+): /,
    reason: 'the report has the bounds with these shares',
  },
];
/** The dialect of the SQL environment has another version since, which a verification says. All else must hold. */
const otherDialect = /^The environment has version 2-\S+; the pair was made with 1-\S+\.$/;
const butForTheDialect = (checks: RunOutputs['verified']) =>
  checks.map((check) => {
    const problems = check.problems.filter((problem) => !otherDialect.test(problem));
    return { ...check, problems, ok: problems.length === 0 };
  });
const actionsIn = (files: { [file: string]: string }) =>
  (files['sources.jsonl'] ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { id, runId, taskId, group, split, step, score } = JSON.parse(line);
      return { id, runId, taskId, group, split, step, score };
    });
const unmeant = (all: string[]) => all.filter((line) => !onPurpose.some(({ path }) => path.test(line)));

for (const { name: version } of versions) {
  describe(`a store of ${version}`, () => {
    const folder = join(import.meta.dirname, version);
    const recorded = JSON.parse(gunzipSync(readFileSync(join(folder, 'outputs.json.gz'))).toString('utf8')) as {
      [runId: string]: RunOutputs;
    };
    let home: string;
    let store: Store;
    let environments: EnvironmentRegistry;

    beforeAll(async () => {
      home = mkdtempSync(join(tmpdir(), 'crux-stores-'));
      writeFileSync(join(home, 'crux.db'), gunzipSync(readFileSync(join(folder, 'crux.db.gz'))));
      await writeDemoDataset(join(home, 'sql-demo'));
      store = await openStore(join(home, 'crux.db'));
      const sql = interCodeSql({ data: join(home, 'sql-demo'), name: 'sql-demo' });
      environments = new EnvironmentRegistry([...mazeEnvironments(), sql]);
    });

    afterAll(async () => {
      await environments?.close();
      await store?.close();
      rmSync(home, { recursive: true, force: true });
    });

    it('has a run of every method that there was', async () => {
      const methods = new Set((await store.runs.list()).map(({ method }) => method));
      expect([...methods].toSorted()).toEqual(methodsOf[version]);
    });

    it('says of its successes that nobody audited them, which is not that nothing was found', async () => {
      const rows = await Promise.all(
        (await store.runs.list()).map(async ({ id }) => [
          ...(await store.findings.allTrajectories(id)),
          ...(await store.findings.branches(id)),
        ]),
      );
      expect(rows.flat().some(({ success }) => success)).toBe(true);
      expect(new Set(rows.flat().map(({ auditFlags }) => auditFlags))).toEqual(new Set([null]));
    });

    it.each(Object.keys(recorded))('shows, exports and verifies the run %s as that version did', async (runId) => {
      const now = await outputsOf(store, environments, runId);
      const { summary, view, exports, verified } = recorded[runId]!;
      expect(verified.every(({ ok }) => ok)).toBe(true);
      expect(differences(verified, butForTheDialect(now.verified))).toEqual([]);
      const isForPrm = (format: string) => actionFormats.some(({ name }) => name === format);
      const butForPrm = (all: RunOutputs['exports']) =>
        Object.fromEntries(Object.entries(all).filter(([format]) => !isForPrm(format)));
      expect(butForPrm(now.exports)).toEqual(butForPrm(exports));
      // Rows for a PRM count only fair samples since, with other weights: some actions have none. The actions are the same.
      for (const [format, files] of Object.entries(now.exports).filter(([format]) => isForPrm(format)))
        expect(actionsIn(exports[format]!)).toEqual(expect.arrayContaining(actionsIn(files)));
      expect(unmeant(differences(summary, now.summary))).toEqual([]);
      expect(unmeant(differences(view, now.view))).toEqual([]);
    });
  });
}

// Layer: the dialect next to a real server. Random statements over the benchmark's databases, each answered by this environment and by MariaDB.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchmarkData } from '../helpers/benchmark-data.ts';
import { temporaryFolder } from '../helpers/sql-datasets.ts';
import { Comparison, type Verdict } from './comparison.ts';
import { hasServer, type Server, startServer } from './server.ts';

const folders = { interCode: benchmarkData('intercode-sql'), spider: benchmarkData('spider-train') };
const count = 5000;

describe.skipIf(!hasServer() || (folders.interCode ?? folders.spider) === null)(
  'statements that MySQL understands',
  () => {
    let server: Server;
    let comparison: Comparison;
    let verdicts: Verdict[];
    beforeAll(async () => {
      server = await startServer();
      comparison = await Comparison.open(server, folders, temporaryFolder());
      verdicts = await comparison.run(count);
      console.log(figures(verdicts));
    });
    afterAll(async () => {
      await comparison?.close();
      await server?.stop();
    });
    const of = (kind: Verdict['kind']) => verdicts.filter((verdict) => verdict.kind === kind);

    it('have the same result, but for what MariaDB is known to do otherwise', () => {
      expect(of('other').map(shown)).toEqual([]);
    });

    it('are seldom refused', () => {
      expect(of('refused').length / count).toBeLessThanOrEqual(0.05);
    });

    it('differ from MariaDB for a known reason only seldom', () => {
      expect(of('known').length / count).toBeLessThanOrEqual(0.02);
    });

    it('have the same result if they are golds of the benchmarks, but where a LIMIT cuts rows that tie', async () => {
      const differing: string[] = [];
      for (const { db, gold } of golds()) {
        const verdict = await comparison.compare(db, { sql: gold, ordered: false });
        if (verdict.kind === 'other' && !(await comparison.isTied(db, gold))) differing.push(shown(verdict));
        // MySQL 8 rejects them too; MariaDB has fewer reserved words, and is asked without the rule for GROUP BY.
        if (verdict.kind === 'refused' && verdict.ours.kind === 'error')
          expect(`${gold}: ${verdict.ours.message}`).toMatch(
            /only_full_group_by|with DISTINCT|\brank\b.*SQL syntax|DATE value/is,
          );
      }
      expect(differing).toEqual([]);
    });
  },
);

/** Each gold once. */
function golds(): { db: string; gold: string }[] {
  const files = [
    folders.interCode && join(folders.interCode, 'ic_spider_dev.json'),
    folders.spider && join(folders.spider, 'tasks.json'),
  ].filter((file) => file !== null);
  const all = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as { db: string; gold: string }[]);
  return [...new Map(all.map((task) => [`${task.db} ${task.gold}`, task])).values()];
}

function shown({ database, statement, ours, theirs }: Verdict): string {
  const text = (answer: Verdict['ours']) =>
    (answer.kind === 'error' ? answer.message : answer.rows.join(' ')).slice(0, 500);
  return `${database}: ${statement.sql}\n  here    ${text(ours)}\n  MariaDB ${text(theirs)}`;
}

function figures(verdicts: Verdict[]): string {
  const counts = new Map<string, number>();
  for (const { kind, rule } of verdicts) {
    const name = rule === null ? kind : `${kind}: ${rule}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, each]) => `${name} ${each}`).join(', ');
}

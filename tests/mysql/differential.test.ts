// Layer: the dialect next to a real server. Random statements over the benchmark's databases, each answered by this environment and by MariaDB.
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
  },
);

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

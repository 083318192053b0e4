// Layer: the real benchmark files, where they are: imports, golds, and the agreement with recorded MySQL sessions.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LogAgreement, measureAgreement } from '../../../src/environments/intercode-sql/agreement.ts';
import { Connection } from '../../../src/environments/intercode-sql/connection.ts';
import { SqlExecutor } from '../../../src/environments/intercode-sql/executor.ts';
import {
  type ImportResult,
  importInterCode,
  importSpiderTrain,
} from '../../../src/environments/intercode-sql/import.ts';
import { parseStatement } from '../../../src/environments/intercode-sql/mysql/parse-statement.ts';
import { printQuery } from '../../../src/environments/intercode-sql/mysql/print.ts';
import { readRecordedRuns } from '../../../src/environments/intercode-sql/recorded-runs.ts';
import { sqlTextFormat } from '../../../src/environments/intercode-sql/text-format.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const interCode = benchmarkData('intercode-sql');
const spider = benchmarkData('spider-train');
const limits = { rows: 100_000, characters: 64_000_000 };

describe.skipIf(interCode === null || benchmarkData('intercode-sql-logs') === null)('InterCode-SQL', () => {
  let imported: ImportResult;
  beforeAll(async () => {
    imported = await importInterCode({ from: interCode!, into: join(temporaryFolder(), 'intercode-sql') });
  });

  it('is split by database, with the unusable golds counted', () => {
    const { dataset, tiedGolds, ...counts } = imported;
    // Of 939 golds; these two ask for the largest of groups that are equally large.
    expect(tiedGolds).toEqual(expect.arrayContaining(['722', '916']));
    expect(tiedGolds).toHaveLength(36);
    expect(counts).toEqual({ databases: 20, train: 658, test: 281, emptyGolds: 76, rejectedGolds: 19 });
    const splits = new Map(dataset.tasks.map(({ db, split }) => [`${db} ${split}`, db]));
    expect(splits.size).toBe(20);
    expect(dataset.tasks.map(({ id }) => id)).toEqual(Array.from({ length: 1034 }, (_, index) => String(index)));
  });

  it('has 1,034 golds of which all run, but for those that MySQL 8 rejects too', () => {
    const connections = new Map<string, Connection>();
    const errors = imported.dataset.tasks.flatMap(({ db, gold }) => {
      const connection = connections.get(db) ?? new Connection(imported.dataset.databasePath(db), db);
      connections.set(db, connection);
      const result = connection.run(gold, limits, true);
      return result.kind === 'error' ? [result.message.replace(/^.*(?=only_full_group_by)/, '')] : [];
    });
    // Read leniently, only columns with an arbitrary value per group are left.
    expect(errors).toHaveLength(11);
    expect(new Set(errors)).toEqual(new Set(['only_full_group_by']));
  });

  it.each([
    // Log, and the least shares of equal rewards and of statements that are equal or the same in another way.
    ['react', join('intercode-sql', 'runs'), 'gpt-3.5-react-10-turns.json', 0.99, 0.94],
    ['multi-turn', 'intercode-sql-logs', 'ic_sql_multiturn_gpt-4_10_turns.json', 0.99, 0.97],
    ['single-turn', 'intercode-sql-logs', 'ic_sql_multiturn_gpt-4_1_turns.json', 0.99, 0.99],
    ['human', 'intercode-sql-logs', 'ic_sql_multiturn_human_10_turns.json', 1, 0.99],
    // Under IoU × tau the order of rows counts, which most statements leave open.
    ['plan-and-solve', 'intercode-sql-logs', 'ic_sql_plan_solve.json', 0.975, 0.94],
  ])(
    'agrees with the recorded MySQL sessions of the form %s, every difference named',
    async (form, folder, log, leastRewards, leastSame) => {
      const { runs, leftOut } = readRecordedRuns([join(benchmarkData(folder)!, log)]);
      expect(leftOut).toEqual([]);
      const executor = new SqlExecutor();
      const { logs } = await measureAgreement(runs, imported.dataset, executor).finally(() => executor.close());
      expect(logs).toHaveLength(1);
      const [{ forms, rewards, rewardsEqual, rewardDifferences, statements, equal, sameMeaning, other, rewardRule }] =
        logs as [LogAgreement];
      expect(forms).toEqual([form]);
      expect(rewardRule).toBe(form === 'plan-and-solve' ? 'iou-tau' : 'iou');
      expect(rewardsEqual / rewards).toBeGreaterThanOrEqual(leastRewards);
      expect(rewardDifferences.map(({ cause }) => cause)).not.toContain('other');
      const same = equal + Object.values(sameMeaning).reduce((sum, count) => sum + count, 0);
      expect(same / statements).toBeGreaterThanOrEqual(leastSame);
      expect(other.other ?? 0).toBe(0);
    },
  );

  it('gives recorded runs in the text form that the environment reads', async () => {
    const { runs } = readRecordedRuns([join(interCode!, 'runs')]);
    expect(runs).toHaveLength(1034);
    expect(runs[0]).toMatchObject({ taskId: '0', model: 'gpt-3.5', reward: 0 });
    let malformed = 0;
    for (const { action, assistant } of runs.flatMap(({ steps }) => steps)) {
      const parsed = sqlTextFormat.parse(assistant.content!);
      if (action === null) malformed += 1;
      expect(parsed.kind).toBe(action === null ? 'malformed' : 'action');
      if (parsed.kind === 'action') expect(parsed.action.tool).toBe(action!.tool);
    }
    expect(malformed).toBeGreaterThan(0);
  });
});

describe.skipIf(spider === null)("Spider's training part", () => {
  it('is imported as train only', async () => {
    const into = join(temporaryFolder(), 'spider-train');
    const { dataset, tiedGolds: _, ...counts } = await importSpiderTrain({ from: spider!, into });
    expect(counts).toEqual({ databases: 85, train: 3304, test: 0, emptyGolds: 214, rejectedGolds: 47 });
    expect(dataset.goldDialect).toBe('sqlite');
  });

  it('has golds that are printed and read again without a change', async () => {
    const into = join(temporaryFolder(), 'spider-train');
    const { dataset } = await importSpiderTrain({ from: spider!, into });
    for (const { gold } of dataset.tasks) {
      const statement = parseStatement(gold, true);
      if (statement.kind !== 'query') throw new Error(`No query: ${gold}`);
      const printed = printQuery(statement.query);
      const again = parseStatement(printed, false);
      expect(again.kind === 'query' && printQuery(again.query)).toBe(printed);
    }
  });
});

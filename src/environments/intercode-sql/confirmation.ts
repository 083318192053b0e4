/**
 * Tells a right query from one that found the right rows by accident: both it and the gold run on variants of the database, and must give the
 * same rows on each. A variant counts for a task if the gold has rows there that do not depend on an order which the gold leaves open.
 * Variants that also tell the gold from its mutants come first. Source: ours.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../make-folder.ts';
import type { Confirmation } from '../contract.ts';
import type { QueryResult } from './connection.ts';
import type { SqlDataset, SqlTask } from './dataset.ts';
import type { SqlExecutor } from './executor.ts';
import type { QueryRequest } from './executor-child.ts';
import { mutantsOf, tieProbeOf } from './mutants.ts';
import { intersectionOverUnion } from './reward.ts';
import { variantVersion } from './variant.ts';

/** Variants that must count for a task before a success on it can be confirmed. */
const variantsWanted = 3;
/** Shares of redrawn cells, one variant each: strong ones first, weak ones for golds that ask for rare values. */
const strengths = [0.5, 0.3, 0.5, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.02, 0.02, 0];
const limits = { rows: 100_000, characters: 32_000_000 };

/** A variant that counts for one task. */
type Check = { path: string; goldRows: string[] };
export type TaskChecks = { checks: Check[]; mutants: number; separatedMutants: number };

export class SuccessConfirmation {
  readonly #dataset: SqlDataset;
  readonly #executor: SqlExecutor;
  readonly #folder: string;
  readonly #variants = new Map<string, Promise<string>>();
  readonly #checks = new Map<string, Promise<TaskChecks>>();

  /** @param digest of the dataset: variants of other data must not be taken for its own */
  constructor(dataset: SqlDataset, digest: string, executor: SqlExecutor) {
    this.#dataset = dataset;
    this.#executor = executor;
    this.#folder = variantFolder(dataset.folder, `${digest}-${variantVersion}`);
  }

  /**
   * @param query the last one that the trajectory executed; null when there is none
   * @throws CruxError `Environment.Fault` when a query meets a limit or has no process: that says nothing about the success
   */
  async confirm(task: SqlTask, query: string | null, signal: AbortSignal): Promise<Confirmation> {
    if (query === null) return { confirmed: false, reason: 'No query was executed.' };
    const original = await this.#decide(task, this.#dataset.databasePath(task.db), query, signal);
    if (original.kind !== 'rows') return { confirmed: false, reason: 'The last query has no rows.' };
    if (!original.tables.length) return { confirmed: false, reason: 'The last query reads no table.' };
    const { checks } = await this.checksOf(task);
    if (checks.length < variantsWanted) {
      return {
        confirmed: false,
        reason: `Only ${checks.length} of ${variantsWanted} variants of the data can check this task.`,
      };
    }
    for (const [index, { path, goldRows }] of checks.entries()) {
      const result = await this.#decide(task, path, query, signal);
      const overlap = result.kind === 'rows' ? intersectionOverUnion(result.rows, goldRows) : 0;
      if (overlap < 1) {
        return {
          confirmed: false,
          reason: `On variant ${index + 1} of the data the query gives other rows than the gold (overlap ${overlap.toFixed(2)}).`,
        };
      }
    }
    return { confirmed: true, reason: `The query gives the gold's rows on ${checks.length} variants of the data.` };
  }

  /** The variants that count for a task, at most five; those that separate mutants come first. */
  checksOf(task: SqlTask): Promise<TaskChecks> {
    const known = this.#checks.get(task.id) ?? this.#findChecks(task);
    this.#checks.set(task.id, known);
    known.catch(() => this.#checks.delete(task.id));
    return known;
  }

  async #findChecks(task: SqlTask): Promise<TaskChecks> {
    const lenient = this.#dataset.goldDialect === 'sqlite';
    let unseparated = mutantsOf(task.gold, lenient);
    const mutants = unseparated.length;
    const probe = tieProbeOf(task.gold, lenient);
    const separating: Check[] = [];
    const others: Check[] = [];
    for (const index of strengths.keys()) {
      const found = separating.length + others.length;
      if (found >= variantsWanted && (!unseparated.length || found >= variantsWanted + 2)) break;
      const path = await this.#variant(task.db, index);
      const gold = await this.#decide(task, path, task.gold, undefined, lenient);
      if (gold.kind !== 'rows' || !gold.rows.length) continue;
      const reversed = await this.#decide(task, path, task.gold, undefined, lenient, true);
      if (reversed.kind !== 'rows' || intersectionOverUnion(reversed.rows, gold.rows) < 1) continue;
      const keys = probe && (await this.#decide(task, path, probe.query, undefined, lenient));
      if (
        keys?.kind === 'rows' &&
        keys.rows.length > probe!.limit &&
        keys.rows[probe!.limit] === keys.rows[probe!.limit - 1]
      )
        continue;
      const left: string[] = [];
      for (const mutant of unseparated) {
        // A mutant may well need more time than any limit, such as a join that lost its condition. It only affects the order of the variants.
        const result = await this.#executor.run(this.#request(task, path, mutant, lenient));
        if (result.kind === 'rows' && intersectionOverUnion(result.rows, gold.rows) === 1) left.push(mutant);
      }
      (left.length < unseparated.length ? separating : others).push({ path, goldRows: gold.rows });
      unseparated = left;
    }
    return { checks: [...separating, ...others], mutants, separatedMutants: mutants - unseparated.length };
  }

  #decide(
    task: SqlTask,
    path: string,
    query: string,
    signal?: AbortSignal,
    lenient = false,
    reversed = false,
  ): Promise<QueryResult> {
    return this.#executor.decide({ ...this.#request(task, path, query, lenient), reversed }, signal);
  }

  #request({ db }: SqlTask, path: string, query: string, lenient: boolean): QueryRequest {
    return { path, database: db, query, limits, lenient };
  }

  #variant(db: string, index: number): Promise<string> {
    const target = join(this.#folder, `${db}-${index + 1}.sqlite`);
    const known = this.#variants.get(target) ?? this.#makeVariant(db, index, target);
    this.#variants.set(target, known);
    known.catch(() => this.#variants.delete(target));
    return known;
  }

  async #makeVariant(db: string, index: number, target: string): Promise<string> {
    if (existsSync(target)) return target;
    const source = this.#dataset.databasePath(db);
    await this.#executor.makeVariant({ source, target, seed: `${db}/${index}`, strength: strengths[index] ?? 0 });
    return target;
  }
}

/** Next to the dataset, or among the temporary files if that place cannot be written. */
function variantFolder(dataset: string, name: string): string {
  const folder = join(dataset, 'variants', name);
  try {
    makeFolder(folder);
    return folder;
  } catch {
    const elsewhere = join(tmpdir(), `crux-sql-variants-${name}`);
    makeFolder(elsewhere);
    return elsewhere;
  }
}

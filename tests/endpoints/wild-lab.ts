/** Whole small runs against the stand-in, and what a user sees of each: exit code, summary, exported rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findingText, requirePassed } from '../../src/cli/commands/doctor.ts';
import { exitCodeOf as exitCodeOfError } from '../../src/cli/terminal/errors.ts';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import { type CruxConfig, type CruxConfigInput, givenModels } from '../../src/config/config.ts';
import { checkModels } from '../../src/doctor/models.ts';
import type { CruxError } from '../../src/errors.ts';
import { exportPairs } from '../../src/export/index.ts';
import { providerOf } from '../../src/models/provider.ts';
import { hasNoOutcome } from '../../src/views/fault-text.ts';
import { loadPairs } from '../../src/views/pairs.ts';
import { type RunSummary, runSummary } from '../../src/views/run-summary.ts';
import { runView } from '../../src/views/run-view.ts';
import { Lab, type LabRequest, type LabRun, until } from '../helpers/lab.ts';
import type { Kind } from './kind.ts';
import type { Refusal, Row, Said, Seen } from './seen.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

export class WildLab {
  readonly lab: Lab;
  readonly standIn: StandIn;
  #exports = 0;
  readonly #endpoints: NonNullable<CruxConfigInput['endpoints']>;
  /** That of the worker. Made once: checking one reads the whole SQL dataset. */
  readonly #config: CruxConfig;

  private constructor(lab: Lab, standIn: StandIn, endpoints: NonNullable<CruxConfigInput['endpoints']>) {
    this.lab = lab;
    this.standIn = standIn;
    this.#endpoints = endpoints;
    this.#config = lab.config({ endpoints });
  }

  /** One worker that has an endpoint for each kind, with a provider of its own. */
  static async open(address: string, kinds: readonly Kind[]): Promise<WildLab> {
    const lab = await Lab.open({ address, sql: true });
    const manners = Object.fromEntries(kinds.map(({ name, manner }) => [name, manner]));
    const standIn = await startStandIn(lab.simulation.url, manners);
    const { simulated } = lab.config().endpoints;
    const own = Object.fromEntries(
      kinds.map(({ name, endpoint }) => [
        name,
        { baseUrl: standIn.urlOf(name), provider: name, maxFaults: 4, ...endpoint },
      ]),
    );
    const endpoints = { simulated, ...own } as NonNullable<CruxConfigInput['endpoints']>;
    await lab.work({ endpoints });
    return new WildLab(lab, standIn, endpoints);
  }

  /** Starts a run of a kind; all its roles are asked at the kind's address. */
  start(kind: Kind) {
    return this.lab.start({ config: this.#changesOf(kind), taskIds: ['maze-1-7'], ...kind.request } as LabRequest);
  }

  /** As `crux doctor` asks the models of a kind. */
  async askDoctor(kind: Kind): Promise<Said> {
    const config = this.lab.config(this.#changesOf(kind));
    const probe = { samples: 5, determinism: false, report: () => {} };
    const { findings } = await checkModels(config, config.environments[0]!, this.lab.store, probe);
    const text = findings.map(findingText).join('\n');
    try {
      requirePassed(findings);
      return { exitCode: 0, text };
    } catch (failed) {
      return { exitCode: exitCodeOfError(failed), text };
    }
  }

  /** What a user sees of a run that is refused. @throws Error when it is not */
  async seeRefusal(kind: Kind): Promise<Refusal> {
    const thrown = await this.start(kind).then(
      () => null,
      (error: CruxError) => error,
    );
    if (thrown === null) throw new Error(`The run of ${kind.name} was not refused.`);
    const text = `${thrown.message} ${thrown.remedy}`;
    return { exitCode: exitCodeOfError(thrown), text, requests: this.standIn.requests(kind.name) };
  }

  /** What a user sees when a run has ended, or stands still; of a kind whose calls wait for long, while they wait. */
  async seeAtRest(kind: Kind, run: LabRun): Promise<Seen> {
    const { runs, waits } = this.lab.store;
    if (kind.thenCleared) {
      await until('the run waits', async () => (await waits.waitingFor(run.id)).length > 0, 120_000);
      return this.see(kind, run.id);
    }
    let hasEnded = false;
    const ended = run.result().finally(() => {
      hasEnded = true;
    });
    // Nobody looks on when the run has ended: looking costs more than the run.
    const isAtRest = async () => hasEnded || (await runs.control(run.id)).state === 'blocked';
    await Promise.race([ended, until('the run is at rest', isAtRest, 120_000)]);
    return this.see(kind, run.id);
  }

  /** As `crux resume` does, to the end. */
  async resume(kind: Kind, run: LabRun): Promise<Seen> {
    await run.handle.executeUpdate('resume');
    await run.result();
    return this.see(kind, run.id);
  }

  /** As `crux providers --clear` does, and another run then, to its end; the one that waits is given up. */
  async clear(kind: Kind, waiting: LabRun): Promise<Seen> {
    await this.lab.store.providers.endCoolDowns(this.#providerOf(kind));
    await waiting.handle.terminate();
    const other = await this.start(kind);
    await other.result();
    return this.see(kind, other.id);
  }

  /** What a user sees of a run. */
  async see(kind: Kind, runId: string): Promise<Seen> {
    const { store, home } = this.lab;
    const summary = await runSummary(store, runId);
    const provider = (await store.providers.list()).find(({ name }) => name === this.#providerOf(kind));
    const out = join(home, `rows-${runId}-${++this.#exports}`);
    await exportPairs(await loadPairs(store, runId), { format: 'trl', out, force: false });
    const rows = readFileSync(join(out, 'pairs.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return {
      summary,
      exitCode: exitCodeOf(summary),
      text: summaryText(summary),
      tree: JSON.stringify((await runView(store, runId)).tasks),
      rows: rows.map((line) => JSON.parse(line) as Row),
      coolDownUntil: provider?.coolDownUntil ?? null,
      requests: this.standIn.requests(kind.name),
    };
  }

  #changesOf({ name, role, run }: Kind): Partial<CruxConfigInput> {
    const models = Object.fromEntries(
      Object.entries(givenModels(this.#config)).map(([own, { endpoint: _, ...settings }]) => [
        own,
        { ...settings, endpoint: name, ...role?.all, ...role?.[own as 'policy'] },
      ]),
    ) as CruxConfigInput['models'];
    return { endpoints: this.#endpoints, models, ...(run && { run }) };
  }

  #providerOf({ name }: Kind): string {
    return providerOf(this.#config.endpoints[name]!);
  }

  async close(): Promise<void> {
    await this.lab.close();
    await this.standIn.close();
  }
}

/** As `crux run` ends. */
function exitCodeOf(summary: RunSummary): number {
  if (summary.state === 'blocked') return 4;
  if (summary.state !== 'finished') return 3;
  return hasNoOutcome(summary) ? 4 : 0;
}

// Layer: end to end: `crux improve` as a user gives it, killed while it collects, trains and evaluates, against an undisturbed one.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { readServerState } from '../../src/temporal/server-state.ts';
import type { ImprovementView } from '../../src/views/improvement.ts';
import { demoConfig, Project, simulateDemoModels } from '../end-to-end/crux.ts';
import { preferFreePorts } from '../helpers/free-ports.ts';
import { type Gate, startGate } from '../helpers/gate.ts';
import { until } from '../helpers/lab.ts';
import { skillModels, type TrainingPlan } from '../helpers/skill-models.ts';

const reached = { TEMPORAL_ADDRESS: inject('temporal').address };
// Workflow ids are shared with other tests of this server.
const id = `rounds-${process.pid}`;

/** A project in which `crux improve` works on the bundled SQL tasks. */
async function workshop(
  plan: TrainingPlan,
  env: NodeJS.ProcessEnv = reached,
): Promise<{ project: Project; simulation: Simulation; gate: Gate }> {
  const project = new Project(env);
  const simulation = await simulateDemoModels(project, { seed: 2 });
  const gate = await startGate(simulation.url);
  const models = await skillModels(project.folder, gate.url);
  const improve = models.improve(
    { rounds: 1, validation: { limit: 4 }, test: { limit: 4 }, collect: { limit: 5 } },
    plan,
  );
  const config = demoConfig(gate.url, { extra: `improve: ${JSON.stringify(improve)},` })
    .replace("{ endpoint: 'simulated', model: 'sim-policy', maxTokens: 512 }", JSON.stringify(models.policy))
    .replace('endpoints: {', `endpoints: { served: ${JSON.stringify(models.endpoint)},`);
  project.write('crux.config.ts', config);
  return { project, simulation, gate };
}

/** What came of it, without times and places. */
function found({ history, test, policy, calls }: ImprovementView) {
  return {
    ...{ policy: policy.name, calls, before: test!.start.success, after: test!.final.success },
    rounds: history.map(({ collected, exported, trained, evaluated, decision }) => ({
      ...{ found: collected?.found, rows: exported?.rows, hash: trained?.hash, success: evaluated?.success, decision },
    })),
  };
}

describe('an improvement that is killed', () => {
  let calm: Awaited<ReturnType<typeof workshop>>;
  let killed: Awaited<ReturnType<typeof workshop>>;
  let store: Store | null = null;
  let expected: ReturnType<typeof found>;

  beforeAll(async () => {
    calm = await workshop({});
    expected = found(await calm.project.json<ImprovementView>('improve', '--run-id', id));
    killed = await workshop({ 1: 'wait' });
  });
  afterAll(async () => {
    await store?.close();
    for (const { project, simulation, gate } of [calm, killed]) {
      gate.close();
      await simulation.close();
      await project.remove();
    }
  });

  it('while it collects, trains and evaluates comes to the same, and its training runs on meanwhile', async () => {
    const { project, gate } = killed;
    const improve = () => project.start(['improve', '--run-id', id]);
    const killAfter = async (requests: number) => {
      const isHeld = gate.closeAfter(requests);
      const command = improve();
      await isHeld;
      command.process.kill('SIGKILL');
      await command.ended;
      gate.open();
    };
    await killAfter(10);
    await killAfter(40);
    const training = improve();
    store = await openStore(project.path('.crux', 'crux.db'));
    const folder = project.path('.crux', 'improve', id, 'round-1');
    const progress = async () => (await store!.trainings.get(folder))?.progress?.step;
    await until('the middle of the training', async () => (await progress()) === 2);
    training.process.kill('SIGKILL');
    await training.ended;
    // Nobody is there but the supervisor: the trainer goes on to its end.
    writeFileSync(`${folder}/go`, '');
    await until('the end of the training', async () => (await store!.trainings.get(folder))?.state === 'ended');
    await killAfter(15);
    const last = await project.json<ImprovementView>('improve', '--run-id', id);
    expect(found(last)).toEqual(expected);
    expect(last.history[1]!.trained!.resumed).toBe(0);
    // The trainer ran once, from its first step to its last.
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4]);
    expect((await project.crux('status', id)).stdout).toMatch(/finished[\s\S]*promoted/);
  });

  it('together with its trainer and its Temporal server in the middle of a training comes to the same', async () => {
    const { project, command, folder, server } = await inTraining();
    const trainer = JSON.parse(readFileSync(`${folder}/writer.json`, 'utf8')).trainer.pid as number;
    for (const pid of [command.process.pid!, server, trainer]) process.kill(pid, 'SIGKILL');
    await command.ended;
    writeFileSync(`${folder}/go`, '');
    const last = await project.json<ImprovementView>('improve', '--run-id', id);
    expect(found(last)).toEqual(expected);
    // The supervisor was left alone, and started the trainer again.
    expect(last.history[1]!.trained!.resumed).toBe(1);
    expect(stepsIn(folder)).toEqual([1, 2, 1, 2, 3, 4]);
  });

  it('by the loss of its Temporal server alone, in the middle of a training, comes to the same, and trains on', async () => {
    const { project, command, folder, server } = await inTraining();
    process.kill(server, 'SIGKILL');
    await until('the server serves again', () => {
      const now = readServerState(project.home)?.server.pid;
      return now !== undefined && now !== server;
    });
    writeFileSync(`${folder}/go`, '');
    expect(await command.ended).toMatchObject({ code: 0 });
    const last = await project.json<ImprovementView>('improve', '--run-id', id);
    expect(found(last)).toEqual(expected);
    expect(last.history[1]!.trained!.resumed).toBe(0);
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4]);
  });
});

/** An improvement on a Temporal server of its own, in the middle of the training of round 1, which waits for the file `go`. */
async function inTraining() {
  const { project, simulation, gate } = await workshop({ 1: 'wait' }, { TEMPORAL_ADDRESS: undefined });
  onTestFinished(async () => {
    gate.close();
    await simulation.close();
    await project.remove();
  });
  await preferFreePorts(project.home);
  const command = project.start(['improve', '--run-id', id]);
  const folder = project.path('.crux', 'improve', id, 'round-1');
  await until('a store', () => existsSync(project.path('.crux', 'crux.db')));
  const store = await openStore(project.path('.crux', 'crux.db'));
  onTestFinished(() => store.close());
  await until('the middle of the training', async () => (await store.trainings.get(folder))?.progress?.step === 2);
  return { project, command, folder, server: readServerState(project.home)!.server.pid };
}

/** The steps that the trainer wrote down, those that it did again too. */
function stepsIn(folder: string): number[] {
  const lines = readFileSync(`${folder}/metrics.jsonl`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line).step);
}

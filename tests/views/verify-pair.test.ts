// Layer: certificates checked against a store, in environments that can and cannot be replayed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedPair } from '../../src/domain/pairs/pair.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { verifyPair } from '../../src/views/verify-pair.ts';
import { explored, type WorkplaceOptions, workplace } from '../activities/workplace.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';

type Opened = { from: unknown; steps: number };

/** Worth of a way that a limit ends. Set by a test. */
let worth = (way: string[]) => Number(way.includes('right'));
/** Whether successes hold on variants of the data. Set by a test. */
let holds = true;

/** Rooms that read differently in every session, so that a replay would be noticed. */
function live(
  opened: Opened[],
  capabilities: { deterministic: boolean; sessions?: 'costly' },
): WorkplaceOptions['doors'] {
  return {
    capabilities: { branchable: true, ...capabilities },
    confirm: async () => ({ confirmed: holds, reason: 'luck' }),
    open: async (_task, snapshot) => {
      const way = Array.isArray(snapshot) ? (snapshot as string[]) : [];
      const session = { from: snapshot, steps: 0 };
      opened.push(session);
      return {
        step: async ({ arguments: { door } }) => {
          session.steps++;
          way.push(String(door));
          if (door === 'end') return { observation: 'Over.', done: true, reward: Number(way.includes('right')) };
          const where = capabilities.deterministic ? '' : `, seen in session ${opened.length}`;
          return { observation: `Behind ${way.join(', ')}${where}.`, done: false };
        },
        snapshot: async () => [...way],
        stateHash: async () => way.join('/'),
        outcome: async () => ({ reward: worth(way) }),
      };
    },
  };
}

/** A pair at the second step of a failure, verified once. */
async function pairIn(capabilities: Parameters<typeof live>[1], lastDoor = 'end') {
  const opened: Opened[] = [];
  const place = await workplace({
    doors: live(opened, capabilities),
    options: { alternatives: 1 },
    models: {
      expert: () => 'Thought: Try.\nAction: go\nAction Input: {"door":"right"}',
      policy: () => `Thought: Done.\nAction: go\nAction Input: {"door":"${lastDoor}"}`,
      prm: (door) => (door === 'left' ? 0.1 : 0.9),
    },
    run: { config: { sameBy: 'state' } },
  });
  const { perform, activities, run, store, context } = place;
  const { id: trajectoryId } = await explored(place, ['up', 'left', 'end']);
  const step = { runId: run.id, trajectoryId, step: 2 };
  await perform(activities.proposeAlternatives, step);
  const { nodeId, alternatives } = await perform(activities.judgeCandidates, step);
  for (const candidateId of alternatives)
    await perform(activities.rollOut, { ...step, nodeId, candidateId, purpose: 'verify', rollout: 0 });
  await perform(activities.recordPairs, { runId: run.id, trajectoryId });
  const [pair] = await store.findings.pairs(run.id);
  opened.splice(0);
  return { store, pair: pair!, opened, environments: context.environments, nodeId };
}

describe('a certificate is checked by the rule by which its state was restored', () => {
  it.each([
    ['by replay, where the environment is deterministic', { deterministic: true }],
    ['by replay, where its sessions are costly too', { deterministic: true, sessions: 'costly' as const }],
  ])('%s', async (_name, capabilities) => {
    const { store, environments, pair, opened } = await pairIn(capabilities);
    expect(await verifyPair(store, environments, pair)).toMatchObject({
      ...{ ok: true, restoredBy: 'replay', openedSnapshots: 0, comparedObservations: 3 },
    });
    expect(opened).toEqual([{ from: undefined, steps: 3 }]);
  });

  it.each([
    ['cheap', { deterministic: false }],
    ['costly', { deterministic: false, sessions: 'costly' as const }],
  ])('by its snapshot, where the environment cannot be replayed and sessions are %s', async (_name, capabilities) => {
    const { store, environments, pair, opened } = await pairIn(capabilities);
    expect(await verifyPair(store, environments, pair)).toMatchObject({
      ...{ ok: true, restoredBy: 'snapshot', openedSnapshots: 1, comparedObservations: 0, problems: [] },
    });
    expect(opened).toEqual([{ from: ['up'], steps: 0 }]);
  });

  it('and fails where the snapshot is gone, or opens in another state', async () => {
    const { store, environments, pair, nodeId } = await pairIn({ deterministic: false });
    const { stateKey } = await store.tree.state(nodeId);
    const { kysely } = store.database;
    await kysely.updateTable('snapshots').set({ snapshot: '["down"]' }).where('state_key', '=', stateKey).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      'The snapshot now opens in another state than the recorded one.',
    ]);
    await kysely.deleteFrom('snapshots').execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      "The snapshot of the pair's state is no longer in the store.",
    ]);
  });

  it('and fails where the recorded steps do not give the outcome of the certificate', async () => {
    const { store, environments, pair } = await pairIn({ deterministic: false });
    await store.database.kysely.updateTable('transitions').set({ reward: 0, success: 0 }).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('reward 0 is recorded with its last step, 1 in the certificate'),
    ]);
  });

  it('by replay, and fails where a step now leads to another state although it reads the same', async () => {
    const { store, environments, pair } = await pairIn({ deterministic: true });
    await store.database.kysely.updateTable('transitions').set({ state_hash: 'elsewhere' }).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('action 1 now leads to another state'),
    ]);
  });
});

describe('a success at the step limit', () => {
  const reached = worth;
  afterEach(() => {
    worth = reached;
    holds = true;
  });

  it('must still hold on variants of the data', async () => {
    const { store, environments, pair } = await pairIn({ deterministic: true }, 'on');
    expect(pair.certificate.verification.confirmed).toBe(true);
    holds = false;
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('the success does not hold on variants of the data (luck)'),
    ]);
  });

  it.each([
    ['replay', { deterministic: true }],
    ['snapshot', { deterministic: false }],
  ] as const)(
    'makes a pair, which is checked by %s with the outcome at the limit',
    async (restoredBy, capabilities) => {
      const { store, environments, pair } = await pairIn(capabilities, 'on');
      expect(pair.certificate.branches).toMatchObject([{ ending: 'step-limit', success: true, reward: 1 }]);
      expect(await verifyPair(store, environments, pair)).toMatchObject({ ok: true, restoredBy, problems: [] });
      const told = [expect.stringContaining('reward 0 at the limit now, 1 when it was recorded')];
      worth = () => 0;
      await store.database.kysely.updateTable('outcomes_so_far').set({ reward: 0, success: 0 }).execute();
      expect((await verifyPair(store, environments, pair)).problems).toEqual(told);
    },
  );
});

describe('values of a certificate', () => {
  let home: string;
  let store: Store;
  const environments = new EnvironmentRegistry(mazeEnvironments());
  let valued: RecordedPair[];

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'crux-values-'));
    const recorded = new URL('../stores/0.1.0/crux.db.gz', import.meta.url);
    writeFileSync(join(home, 'crux.db'), gunzipSync(readFileSync(recorded)));
    store = await openStore(join(home, 'crux.db'));
    const pairs = await Promise.all((await store.runs.list()).map(({ id }) => store.findings.pairs(id)));
    valued = pairs.flat().filter(({ certificate }) => certificate.verification.rule === 'values');
  });
  afterAll(async () => {
    await store?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('are there to be checked', () => expect(valued.length).toBeGreaterThan(0));

  it.each([
    ['null, which a NaN is as JSON', { chosen: null, rejected: null }],
    ['one null', { rejected: null }],
    ['a text', { chosen: 'NaN' }],
    ['another number', { chosen: 0.123 }],
  ])('that are %s do not pass', async (_name, values) => {
    for (const pair of valued) {
      const forged = structuredClone(pair);
      Object.assign(forged.certificate.verification.values!, values);
      const { ok, problems } = await verifyPair(store, environments, forged);
      expect(ok).toBe(false);
      expect(problems).toContain('The recorded rollouts do not give the values of the certificate.');
    }
  });

  it('that are no numbers in the store do not pass either', async () => {
    await store.database.kysely.updateTable('branches').set({ reward: null }).where('purpose', '=', 'value').execute();
    const rolledOut = valued.filter(({ certificate }) =>
      certificate.branches.some(({ purpose }) => purpose === 'value'),
    );
    expect(rolledOut.length).toBeGreaterThan(0);
    for (const pair of rolledOut) expect((await verifyPair(store, environments, pair)).ok).toBe(false);
  });
});

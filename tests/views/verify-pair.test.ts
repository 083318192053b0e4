// Layer: certificates checked against a store, in environments that can and cannot be replayed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { howChecked } from '../../src/cli/commands/verify-pair.ts';
import type { Certificate, RecordedPair } from '../../src/domain/pairs/pair.ts';
import type { Replay } from '../../src/environments/contract.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { verifyPair } from '../../src/views/verify-pair.ts';
import { explored, type WorkplaceOptions, workplace } from '../activities/workplace.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';

type Opened = { from: unknown; steps: number; told: number };

/** How the environment of a test is restored. */
type Restored = { replay: Replay; hasSnapshot?: boolean; sessions?: 'costly' };

/** Worth of a way that a limit ends. Set by a test. */
let worth = (way: string[]) => Number(way.includes('right'));
/** Whether successes hold on variants of the data. Set by a test. */
let holds = true;

/** Rooms that read differently in every session if they may, so that a replay would be noticed. */
function live(opened: Opened[], { replay, hasSnapshot = true, ...sessions }: Restored): WorkplaceOptions['doors'] {
  return {
    capabilities: { branchable: true, replay, ...sessions },
    confirm: async () => ({ confirmed: holds, reason: 'luck' }),
    open: async (_task, snapshot) => {
      const way = Array.isArray(snapshot) ? (snapshot as string[]) : [];
      const session = { from: snapshot, steps: 0, told: 0 };
      opened.push(session);
      return {
        step: async ({ arguments: { door } }) => {
          session.steps++;
          way.push(String(door));
          if (door === 'end') return { observation: 'Over.', done: true, reward: Number(way.includes('right')) };
          const where = replay === 'compare' ? '' : `, seen in session ${opened.length}`;
          return { observation: `Behind ${way.join(', ')}${where}.`, done: false };
        },
        ...(hasSnapshot && { snapshot: async () => [...way] }),
        recall: async ({ arguments: { door } }) => {
          session.told++;
          way.push(String(door));
        },
        stateHash: async () => way.join('/'),
        outcome: async () => ({ reward: worth(way) }),
      };
    },
  };
}

/** A pair at the second step of a failure, or at another one, verified once. */
async function pairIn(restored: Restored, { lastDoor = 'end', step: at = 2, isOwned = false } = {}) {
  const opened: Opened[] = [];
  const place = await workplace({
    doors: live(opened, restored),
    options: { alternatives: 1 },
    models: {
      expert: () => 'Thought: Try.\nAction: go\nAction Input: {"door":"right"}',
      policy: () => `Thought: Done.\nAction: go\nAction Input: {"door":"${lastDoor}"}`,
      prm: (door) => (door === 'left' ? 0.1 : 0.9),
    },
    run: { config: { sameBy: 'state', ...(isOwned && { transitions: { runId: 'run-1', since: 1 } }) } },
  });
  const { perform, activities, run, store, context } = place;
  const { id: trajectoryId } = await explored(place, at === 1 ? ['left', 'end'] : ['up', 'left', 'end']);
  const step = { runId: run.id, trajectoryId, step: at };
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
    ['by replay, where the environment is deterministic', { replay: 'compare' as const }],
    ['by replay, where its sessions are costly too', { replay: 'compare' as const, sessions: 'costly' as const }],
  ])('%s', async (_name, capabilities) => {
    const { store, environments, pair, opened } = await pairIn(capabilities);
    expect(await verifyPair(store, environments, pair)).toMatchObject({
      ...{ ok: true, restoredBy: 'replay', openedSnapshots: 0, comparedObservations: 3 },
    });
    expect(opened).toEqual([{ from: undefined, steps: 3, told: 0 }]);
  });

  it.each([
    ['cheap', { replay: 'never' as const }],
    ['costly', { replay: 'never' as const, sessions: 'costly' as const }],
  ])('by its snapshot, where the environment cannot be replayed and sessions are %s', async (_name, capabilities) => {
    const { store, environments, pair, opened } = await pairIn(capabilities);
    expect(await verifyPair(store, environments, pair)).toMatchObject({
      ...{ ok: true, restoredBy: 'snapshot', openedSnapshots: 1, comparedObservations: 0, problems: [] },
    });
    expect(opened).toEqual([{ from: ['up'], steps: 0, told: 0 }]);
  });

  it('and fails where the snapshot is gone, or opens in another state', async () => {
    const { store, environments, pair, nodeId } = await pairIn({ replay: 'never' });
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
    const { store, environments, pair } = await pairIn({ replay: 'never' });
    await store.database.kysely.updateTable('transitions').set({ reward: 0, success: 0 }).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('reward 0 is recorded with its last step, 1 in the certificate'),
    ]);
  });

  it('by replay, and fails where a step now leads to another state although it reads the same', async () => {
    const { store, environments, pair } = await pairIn({ replay: 'compare' });
    await store.database.kysely.updateTable('transitions').set({ state_hash: 'elsewhere' }).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('action 1 now leads to another state'),
    ]);
  });
});

describe.each([
  {
    replay: 'compare',
    hasSnapshot: true,
    step: 2,
    restoredBy: 'replay',
    opened: { from: undefined, steps: 3, told: 0 },
  },
  {
    replay: 'compare',
    hasSnapshot: false,
    step: 2,
    restoredBy: 'replay',
    opened: { from: undefined, steps: 3, told: 0 },
  },
  {
    replay: 'recorded',
    hasSnapshot: true,
    step: 2,
    restoredBy: 'snapshot',
    opened: { from: ['up'], steps: 0, told: 0 },
  },
  {
    replay: 'recorded',
    hasSnapshot: false,
    step: 2,
    restoredBy: 'recording',
    opened: { from: undefined, steps: 0, told: 1 },
  },
  { replay: 'never', hasSnapshot: true, step: 2, restoredBy: 'snapshot', opened: { from: ['up'], steps: 0, told: 0 } },
  // Without a snapshot only a task's first state can be branched.
  { replay: 'never', hasSnapshot: false, step: 1, restoredBy: 'snapshot', opened: null },
] as const)(
  'with replay: $replay and hasSnapshot: $hasSnapshot',
  ({ replay, hasSnapshot, step, restoredBy, opened: expected }) => {
    const made = () => pairIn({ replay, hasSnapshot }, { step });
    const isReplayed = restoredBy === 'replay';

    it('a pair that holds is checked by the rule by which it was restored', async () => {
      const { store, environments, pair, opened } = await made();
      expect(pair.certificate.restore).toEqual({
        method: restoredBy,
        comparedObservations: isReplayed ? 1 : 0,
        // What came after the restored state was met as it was at that time.
        ...(!isReplayed && { after: 'live' }),
      });
      expect(await verifyPair(store, environments, pair)).toEqual({
        pairId: pair.id,
        ok: true,
        auditedSuccesses: 0,
        comparedObservations: isReplayed ? 3 : 0,
        restoredBy,
        openedSnapshots: step === 2 && restoredBy === 'snapshot' ? 1 : 0,
        recalledSteps: restoredBy === 'recording' ? 1 : 0,
        problems: [],
      });
      expect(opened).toEqual(expected === null ? [] : [expected]);
    });

    it('a record whose outcome was changed is found', async () => {
      const { store, environments, pair } = await made();
      const { kysely } = store.database;
      // A replay does not read it: it makes the outcome again, and compares with the certificate.
      const tampered = isReplayed ? { ...pair, certificate: withReward(pair.certificate, 0.5) } : pair;
      if (!isReplayed) await kysely.updateTable('transitions').set({ reward: 0.5 }).where('done', '=', 1).execute();
      expect((await verifyPair(store, environments, tampered)).problems).toEqual([
        expect.stringMatching(
          isReplayed ? /reward 1 now, 0.5 when/ : /reward 0.5 is recorded with its last step, 1 in the certificate/,
        ),
      ]);
    });

    it('a record whose observation was changed is found', async () => {
      const { store, environments, pair } = await made();
      const { kysely } = store.database;
      await kysely.updateTable('transitions').set({ observation: '"A forged room."' }).where('done', '=', 0).execute();
      const { ok, problems } = await verifyPair(store, environments, pair);
      expect(ok).toBe(false);
      expect(problems[0]).toMatch(
        isReplayed
          ? /action 1 now gives another observation/
          : /action 1 is recorded with another observation than its/,
      );
    });

    it.skipIf(step === 1)('a record whose state was changed is found', async () => {
      const { store, environments, pair } = await made();
      await store.database.kysely.updateTable('transitions').set({ state_hash: 'elsewhere' }).execute();
      expect((await verifyPair(store, environments, pair)).problems).toEqual([expect.stringMatching(/another state/)]);
    });

    it.runIf(isReplayed)('an outcome that was false from the start is found by the replay', async () => {
      const { store, environments, pair } = await made();
      await store.database.kysely.updateTable('transitions').set({ reward: 0.5 }).where('done', '=', 1).execute();
      const forged = { ...pair, certificate: withReward(pair.certificate, 0.5) };
      expect((await verifyPair(store, environments, forged)).ok).toBe(false);
    });

    it('an audit that the environment has now looks at the recorded success, and a flag fails the pair', async () => {
      const { store, environments, pair } = await made();
      const audited = (flags: string[]) => {
        const environment = { ...environments.get('doors'), audit: async () => flags };
        return verifyPair(store, new EnvironmentRegistry([environment]), pair);
      };
      const calm = await audited([]);
      expect(calm).toMatchObject({ ok: true, auditedSuccesses: 1 });
      expect(howChecked(calm)).toMatch(/; 1 success audited, none flagged$/);
      expect((await audited(['tests-edited'])).problems).toEqual([
        expect.stringContaining("the environment's audit now flags its success: tests-edited."),
      ]);
    });

    it.runIf(!isReplayed)(
      'a record that agrees with a forged certificate is not found, and the command says so',
      async () => {
        const { store, environments, pair } = await made();
        await store.database.kysely.updateTable('transitions').set({ reward: 0.5 }).where('done', '=', 1).execute();
        const check = await verifyPair(store, environments, {
          ...pair,
          certificate: withReward(pair.certificate, 0.5),
        });
        expect(check.ok).toBe(true);
        expect(howChecked(check)).toContain('a record that was false from the start is not found');
      },
    );
  },
);

/** The certificate with another reward of its only branch. */
function withReward(certificate: Certificate, reward: number): Certificate {
  return { ...certificate, branches: certificate.branches.map((branch) => ({ ...branch, reward })) };
}

describe('a success at the step limit', () => {
  const reached = worth;
  afterEach(() => {
    worth = reached;
    holds = true;
  });

  it('must still hold on variants of the data', async () => {
    const { store, environments, pair } = await pairIn({ replay: 'compare' }, { lastDoor: 'on' });
    expect(pair.certificate.verification.confirmed).toBe(true);
    holds = false;
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      expect.stringContaining('the success does not hold on variants of the data (luck)'),
    ]);
  });

  it('that was known not to hold is left to the rule, which counts it as none', async () => {
    const { store, environments, pair } = await pairIn({ replay: 'compare' }, { lastDoor: 'on' });
    holds = false;
    await store.database.kysely.updateTable('branches').set({ confirmed: 0 }).execute();
    expect((await verifyPair(store, environments, pair)).problems).toEqual([
      'The recorded branches do not verify the alternative.',
    ]);
  });

  it.each([
    ['replay', 'of all', { replay: 'compare' }],
    ['snapshot', 'of all', { replay: 'never' }],
    ['snapshot', 'of its own', { replay: 'never' }],
    ['recording', 'of all', { replay: 'recorded', hasSnapshot: false }],
    ['recording', 'of its own', { replay: 'recorded', hasSnapshot: false }],
  ] as const)(
    'makes a pair, which is checked by %s with the outcome at the limit, in states %s',
    async (restoredBy, whose, capabilities) => {
      const isOwned = whose === 'of its own';
      const { store, environments, pair } = await pairIn(capabilities, { lastDoor: 'on', isOwned });
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

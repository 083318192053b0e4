// Layer: activities in MockActivityEnvironment; branches are stored as rollouts leave them.
import { describe, expect, it } from 'vitest';
import { scoreCall } from '../../../src/activities/roles/score-call.ts';
import type { Branch } from '../../../src/domain/branch.ts';
import type { Ending } from '../../../src/domain/ending.ts';
import type { Certificate } from '../../../src/domain/pairs/pair.ts';
import { callKey } from '../../../src/models/gateway.ts';
import { answer } from '../../helpers/store.ts';
import { goText } from '../doors.ts';
import { explored, look, type Workplace, type WorkplaceOptions, workplace } from '../workplace.ts';

type Mined = {
  place: Workplace;
  trajectoryId: string;
  /** Candidate ids by door; the policy went through `left`. */
  ids: Map<string, string>;
  nodeId: string;
  branch(door: string, changes?: Partial<Branch>): Promise<void>;
  pairs(): Promise<{ chosen: string; rejected: string; flags: string[]; certificate: Certificate }[]>;
};

/** A failed trajectory (left, pit), whose first step is critical, with these alternatives from expert and policy. */
async function mined(
  expertDoors: string[],
  {
    policyDoors = [],
    verdict = 'critical',
    ...options
  }: WorkplaceOptions & { policyDoors?: string[]; verdict?: string } = {},
): Promise<Mined> {
  const place = await workplace(options);
  const { store } = place;
  const { id: trajectoryId, states } = await explored(place, ['left', 'pit']);
  const origin = states[0]!;
  const ids = new Map<string, string>();
  const rows = [
    { door: 'left', source: 'policy' as const, position: -1 },
    ...policyDoors.map((door, position) => ({ door, source: 'policy' as const, position })),
    ...expertDoors.map((door, position) => ({ door, source: 'expert' as const, position: 100 + position })),
  ];
  for (const { door, source, position } of rows) {
    ids.set(door, `candidate-${door}`);
    await store.findings.addCandidates([
      {
        runId: 'run-1',
        id: `candidate-${door}`,
        nodeId: origin.id,
        source,
        model: `test-${source}`,
        position,
        message: { role: 'assistant', content: goText(door) },
        actions: [{ arguments: { door }, tool: 'go' }],
        canonical: `go ${door}`,
      },
    ]);
    await store.findings.addScore({
      runId: 'run-1',
      candidateId: `candidate-${door}`,
      purpose: 'score',
      score: 0.5,
      samples: [0.5],
    });
  }
  await store.findings.addStep({
    runId: 'run-1',
    trajectoryId,
    step: 1,
    nodeId: origin.id,
    verdict,
    ownId: 'candidate-left',
    branched: verdict === 'critical' ? [...policyDoors, ...expertDoors].map((door) => `candidate-${door}`) : [],
  });
  return {
    place,
    trajectoryId,
    ids,
    nodeId: origin.id,
    async branch(door, changes = {}) {
      const leaf = await look(place, origin, door);
      const purpose = changes.purpose ?? 'verify';
      const rollout = changes.rollout ?? 0;
      await store.findings.addBranch({
        runId: 'run-1',
        id: `${door}-${purpose}-${rollout}`,
        trajectoryId,
        nodeId: origin.id,
        candidateId: `candidate-${door}`,
        purpose,
        rollout,
        leafId: leaf.id,
        steps: 3,
        environmentSteps: null,
        seed: 1,
        ending: 'submitted',
        reward: Number(changes.success ?? true),
        success: true,
        confirmed: null,
        auditFlags: null,
        details: null,
        compared: 0,
        ...changes,
      });
    },
    async pairs() {
      const count = await place.perform(place.activities.recordPairs, { runId: 'run-1', trajectoryId });
      const stored = await store.findings.pairs('run-1');
      expect(stored.length).toBe(count);
      return stored.map((row) => ({
        chosen: row.chosenId.replace('candidate-', ''),
        rejected: row.rejectedId.replace('candidate-', ''),
        flags: row.flags,
        certificate: row.certificate,
      }));
    },
  };
}

const sides = (pairs: { chosen: string; rejected: string }[]) =>
  pairs.map(({ chosen, rejected }) => `${chosen} > ${rejected}`).sort();
const faults: Ending[] = ['diverged', 'environment-fault', 'model-fault'];
const sound = { rollouts: 8, baselineRollouts: 8 };

describe('one branch each, as published', () => {
  it('makes a pair of every alternative after which the policy succeeds', async () => {
    const { branch, pairs } = await mined(['right', 'up', 'down']);
    await branch('right');
    await branch('up', { success: false, reward: 0 });
    await branch('down');
    const found = await pairs();
    expect(sides(found)).toEqual(['down > left', 'right > left']);
    expect(found[0]!.certificate.verification).toMatchObject({
      rule: 'once',
      chosenSuccesses: 1,
      chosenRollouts: 1,
      posterior: null,
    });
    expect(found[0]!.flags).toContain('verified-once');
  });

  it.each(faults)('never makes a pair of a branch that ended as %s', async (ending) => {
    const { branch, pairs } = await mined(['right']);
    // Not even if a success were written beside the fault.
    await branch('right', { ending, success: true });
    expect(await pairs()).toEqual([]);
  });

  it('makes no pair of a success that does not hold on variants of the data', async () => {
    const { branch, pairs } = await mined(['right', 'up']);
    await branch('right', { confirmed: false });
    await branch('up', { confirmed: true });
    const found = await pairs();
    expect(sides(found)).toEqual(['up > left']);
    expect(found[0]!.certificate.verification.confirmed).toBe(true);
  });

  it('makes no pair without branches, or at a step that is not critical', async () => {
    expect(await (await mined(['right'])).pairs()).toEqual([]);
    const calm = await mined(['right'], { verdict: 'not-critical' });
    await calm.branch('right');
    expect(await calm.pairs()).toEqual([]);
  });

  it('makes no pair of two actions after which the agent sees the same', async () => {
    const same = (way: string[]) =>
      ['left', 'right'].includes(way.at(-1)!) ? { observation: 'A hall.', done: false } : undefined;
    const { branch, pairs } = await mined(['right', 'up'], {
      doors: { step: (way) => (way.length === 1 ? same(way) : undefined) },
    });
    await branch('right');
    await branch('up');
    expect(sides(await pairs())).toEqual(['up > left']);
  });

  it('makes no pair of an alternative behind the first verified one, if that ends the step', async () => {
    const { branch, pairs } = await mined(['right', 'up', 'down'], { options: { stopAtFirst: true } });
    await branch('right', { success: false });
    await branch('up');
    // Another trajectory, whose own action was up, had this one branched.
    await branch('down');
    expect(sides(await pairs())).toEqual(['up > left']);
  });

  it('takes no placebo for evidence, for or against', async () => {
    const { branch, pairs } = await mined(['right', 'up']);
    await branch('right');
    await branch('up', { purpose: 'placebo' });
    for (const rollout of [0, 1, 2]) await branch('left', { purpose: 'placebo', rollout });
    const found = await pairs();
    expect(sides(found)).toEqual(['right > left']);
    expect(found[0]!.certificate.branches.map(({ purpose }) => purpose)).toEqual(['verify']);
    expect(found[0]!.certificate.verification).toMatchObject({ rejectedRollouts: 0 });
  });
});

describe('the four sources', () => {
  // The expert: right succeeds, up fails. The policy: down succeeds, back fails.
  async function of(pairSources: 'expert/policy' | 'expert/expert' | 'policy/policy' | 'policy/expert') {
    const given = await mined(['right', 'up'], { policyDoors: ['down', 'back'], options: { pairSources } });
    await given.branch('right');
    await given.branch('up', { success: false });
    await given.branch('down');
    await given.branch('back', { success: false });
    return sides(await given.pairs());
  }

  it('pair the expert’s success with the policy’s failure', async () =>
    expect(await of('expert/policy')).toEqual(['right > left']));
  it('pair the expert’s success with its own failure', async () =>
    expect(await of('expert/expert')).toEqual(['right > up']));
  it('pair the policy’s success with its failure', async () =>
    expect(await of('policy/policy')).toEqual(['down > left']));
  it('pair the policy’s success with the expert’s failure', async () =>
    expect(await of('policy/expert')).toEqual(['down > up']));

  it.each(faults)('take no branch that ended as %s for a failure', async (ending) => {
    const { branch, pairs } = await mined(['right', 'up'], { options: { pairSources: 'expert/expert' } });
    await branch('right');
    await branch('up', { ending, success: null, reward: null });
    expect(await pairs()).toEqual([]);
  });
});

describe('several rollouts against the policy’s own action', () => {
  async function rolledOut(alternative: number, policy: number, { missing = 0, of = 8 } = {}) {
    const given = await mined(['right'], { options: { verification: sound } });
    for (let rollout = 0; rollout < of; rollout++) {
      const isMissing = rollout >= of - missing;
      const result = (wins: number) =>
        isMissing ? { ending: 'model-fault' as const, success: null, reward: null } : { success: rollout < wins };
      await given.branch('right', { rollout, ...result(alternative) });
      await given.branch('left', { purpose: 'baseline', rollout, ...result(policy) });
    }
    return given;
  }

  it('make a pair of a clear difference, with the posterior', async () => {
    const [found, ...others] = await (await rolledOut(8, 0)).pairs();
    expect(others).toEqual([]);
    expect(found!.certificate.verification).toMatchObject({
      rule: 'posterior',
      chosenSuccesses: 6,
      chosenRollouts: 6,
      rejectedSuccesses: 0,
      rejectedRollouts: 6,
      missing: 0,
    });
    expect(found!.certificate.verification.posterior).toBeGreaterThan(0.9);
    expect(found!.flags).not.toContain('verified-once');
    // Rollouts after the decision are no evidence: others needed them.
    expect(found!.certificate.branches.map(({ side, rollout }) => `${side} ${rollout}`)).toEqual(
      ['chosen', 'rejected'].flatMap((side) => [0, 1, 2, 3, 4, 5].map((rollout) => `${side} ${rollout}`)),
    );
  });

  it('make the pair that the rule had accepted, although the policy’s own action succeeded while another was open', async () => {
    const given = await mined(['right', 'up'], { options: { verification: sound } });
    for (let rollout = 0; rollout < 8; rollout++) {
      if (rollout < 6) await given.branch('right', { rollout });
      await given.branch('up', { rollout, success: rollout % 2 === 0 });
      await given.branch('left', { purpose: 'baseline', rollout, success: rollout >= 6 });
    }
    const found = await given.pairs();
    expect(sides(found)).toEqual(['right > left']);
    expect(found[0]!.certificate.verification).toMatchObject({ chosenRollouts: 6, rejectedRollouts: 6 });
    expect(found[0]!.certificate.verification.posterior).toBeCloseTo(0.984, 3);
  });

  it('give the same pairs and certificates, whatever another trajectory had rolled out in the state', async () => {
    const given = await mined(['right', 'up'], { options: { verification: sound, stopAtFirst: true } });
    const rollOut = async (door: string, rollouts: number[], changes: Partial<Branch> = {}) => {
      for (const rollout of rollouts) await given.branch(door, { rollout, ...changes });
    };
    const own = { purpose: 'baseline' as const, success: false };
    // The first that is accepted ends the step: up, which failed once, is open then.
    await rollOut('right', [0, 1, 2, 3, 4, 5]);
    await rollOut('left', [0, 1, 2, 3, 4, 5], own);
    await given.branch('up', { rollout: 0, success: false });
    await rollOut('up', [1, 2, 3, 4, 5]);
    const alone = await given.pairs();
    expect(sides(alone)).toEqual(['right > left']);
    // Another trajectory, with another own action there, has both rolled out to the end.
    await rollOut('right', [6, 7], { success: false });
    await rollOut('up', [6, 7]);
    await rollOut('left', [6, 7], own);
    expect(await given.pairs()).toEqual(alone);
  });

  it('make none of a tie, of a loss, or of successes with nothing to compare', async () => {
    expect(await (await rolledOut(5, 5)).pairs()).toEqual([]);
    expect(await (await rolledOut(0, 8)).pairs()).toEqual([]);
    const alone = await mined(['right'], { options: { verification: sound } });
    for (const rollout of [0, 1]) await alone.branch('right', { rollout });
    expect(await alone.pairs()).toEqual([]);
  });

  it('count faults against the pair', async () => {
    expect((await (await rolledOut(6, 0, { of: 6 })).pairs()).length).toBe(1);
    expect(await (await rolledOut(4, 0, { of: 8, missing: 4 })).pairs()).toEqual([]);
  });
});

describe('without verification', () => {
  it('the best alternative is chosen, and the pair says that nothing stands behind it', async () => {
    const { pairs } = await mined(['right', 'up'], { options: { verify: false } });
    const found = await pairs();
    expect(sides(found)).toEqual(['right > left']);
    expect(found[0]!.flags).toContain('unverified');
    expect(found[0]!.certificate).toMatchObject({
      branches: [],
      verification: { rule: 'none', chosenRollouts: 0, posterior: null },
    });
  });
});

describe('the balance', () => {
  const doors = ['a', 'b', 'c', 'd', 'e', 'f'];
  async function kept(options: WorkplaceOptions['options'], seed: number) {
    const given = await mined(doors, { options, run: { seed } });
    for (const door of doors) await given.branch(door);
    return sides(await given.pairs());
  }

  it('keeps all pairs as published', async () => {
    expect((await kept({}, 1)).length).toBe(6);
  });

  it.each([{ pairsPerStep: 2 }, { pairsPerTask: 2 }])(
    'keeps as many as %o allows, the same ones for the same seed',
    async (options) => {
      const first = await kept(options, 1);
      expect(first.length).toBe(2);
      expect(await kept(options, 1)).toEqual(first);
      const bySeed = await Promise.all([2, 3, 4, 5].map((seed) => kept(options, seed)));
      expect(new Set([first, ...bySeed].map(String)).size).toBeGreaterThan(1);
    },
  );

  it('keeps by posterior where there is one', async () => {
    const given = await mined(['a', 'b'], { options: { verification: sound, pairsPerStep: 1 } });
    for (let rollout = 0; rollout < 8; rollout++) {
      await given.branch('a', { rollout, success: rollout > 0 });
      await given.branch('b', { rollout, success: true });
      // It succeeds while a, which failed once, is open.
      await given.branch('left', { purpose: 'baseline', rollout, success: rollout === 6 });
    }
    expect(sides(await given.pairs())).toEqual(['b > left']);
  });
});

describe('a certificate', () => {
  it('sums up what the calls behind the pair used, by role', async () => {
    const given = await mined(['right']);
    await given.branch('right');
    const { journal } = given.place.store;
    const stream = `${given.nodeId}/candidate-right/0`;
    await journal.write('run-1', answer({ key: 'p', nodeId: given.nodeId, role: 'expert', purpose: 'propose' }));
    await journal.write('run-1', answer({ key: 's', nodeId: given.nodeId, role: 'prm', purpose: 'score' }));
    await journal.write('run-1', answer({ key: 'v', nodeId: 'later', purpose: 'verify', stream, costMicroUsd: 5 }));
    // Calls of another branch, of another state and of another run are not behind it.
    await journal.write('run-1', answer({ key: 'x', nodeId: 'later', purpose: 'verify', stream: 'other' }));
    await journal.write('run-1', answer({ key: 'y', nodeId: 'elsewhere', purpose: 'propose' }));
    await journal.write('run-2', answer({ key: 'z', nodeId: given.nodeId, purpose: 'propose' }));
    await journal.addFault('run-1', { key: 'v', role: 'policy', kind: 'Model.Transport', message: 'cut' });
    const { certificate } = (await given.pairs())[0]!;
    expect(certificate.tokens).toEqual({
      expert: { prompt: 100, completion: 10 },
      policy: { prompt: 100, completion: 10 },
      prm: { prompt: 100, completion: 10 },
    });
    expect(certificate.costMicroUsd).toBe(120 + 120 + 5);
    expect(certificate.attempts).toEqual({ asks: 3, faults: 1 });
  });

  it('has the lengths of both sides, and how likely the policy found its own message', async () => {
    const given = await mined(['right']);
    await given.branch('right');
    const { journal } = given.place.store;
    const said = (door: string) => ({ role: 'assistant' as const, content: goText(door) });
    const at = { nodeId: given.nodeId, promptTokens: 40, logprob: -1.5 };
    await journal.write('run-1', answer({ ...at, key: 'own', message: said('left'), completionTokens: 7 }));
    // Another sample said the same: whether it has by now depends on who is first.
    await journal.write(
      'run-1',
      answer({ ...at, key: 'a', message: said('left'), completionTokens: 8, stream: 'sample-1', logprob: -9 }),
    );
    // Neither its blanks nor its first, unreadable try are in the pair.
    const expert = { ...at, role: 'expert', purpose: 'propose', stream: '', promptTokens: 60 };
    await journal.write('run-1', answer({ ...expert, key: 'b', completionTokens: 99, sample: 1 }));
    const spaced = { role: 'assistant' as const, content: `${goText('right')}\n\n` };
    await journal.write(
      'run-1',
      answer({ ...expert, key: 'c', message: spaced, completionTokens: 9, sample: 1, ask: 1 }),
    );
    const { certificate } = (await given.pairs())[0]!;
    expect(certificate.rejected).toMatchObject({ promptTokens: 40, completionTokens: 7, policyLogprob: -1.5 });
    // The expert's own log-probability is not the policy's.
    expect(certificate.chosen).toMatchObject({ promptTokens: 60, completionTokens: 9, policyLogprob: null });
  });

  it('has no length where no model of the run wrote the message, or nobody told it', async () => {
    const given = await mined(['right']);
    await given.branch('right');
    const unknown = { promptTokens: null, completionTokens: null, logprob: null };
    const message = { role: 'assistant' as const, content: goText('left') };
    await given.place.store.journal.write('run-1', answer({ key: 'own', nodeId: given.nodeId, message, ...unknown }));
    const { certificate } = (await given.pairs())[0]!;
    const none = { promptTokens: null, completionTokens: null, policyLogprob: null };
    expect(certificate.rejected).toMatchObject(none);
    expect(certificate.chosen).toMatchObject(none);
  });

  it('has an unknown sum where a part is unknown', async () => {
    const given = await mined(['right']);
    await given.branch('right');
    const unknown = { promptTokens: null, completionTokens: 10, costMicroUsd: null };
    await given.place.store.journal.write(
      'run-1',
      answer({ nodeId: given.nodeId, role: 'prm', purpose: 'score', ...unknown }),
    );
    const { certificate } = (await given.pairs())[0]!;
    expect(certificate.tokens.prm).toEqual({ prompt: null, completion: 10 });
    expect(certificate.costMicroUsd).toBeNull();
  });

  it('judges flags and budget by the branches that count', async () => {
    const given = await mined(['right'], { options: { verification: { ...sound, confirmOnVariants: true } } });
    for (let rollout = 0; rollout < 8; rollout++) {
      // One success that does not hold: it took many steps, and would hide that the others took one.
      await given.branch(
        'right',
        rollout === 0 ? { rollout, confirmed: false, steps: 5 } : { rollout, confirmed: true, steps: 2 },
      );
      await given.branch('left', { purpose: 'baseline', rollout, success: false });
    }
    const [found] = await given.pairs();
    expect(found!.flags).toContain('solves-alone');
    expect(found!.certificate.verification).toMatchObject({
      chosenSuccesses: 7,
      chosenRollouts: 8,
      fitsOriginalBudget: true,
    });
  });

  it('says whether the success fits what was left of the original step budget', async () => {
    const late = await mined(['right'], { run: { config: { stepLimit: 2 } } });
    await late.branch('right', { steps: 3 });
    expect((await late.pairs())[0]!.certificate.verification.fitsOriginalBudget).toBe(false);
  });

  it('is the same whenever it is made', async () => {
    const given = await mined(['right', 'up']);
    await given.branch('right');
    await given.branch('up');
    const first = await given.pairs();
    expect(await given.pairs()).toEqual(first);
    expect(first[0]!.certificate).toMatchObject({
      schemaVersion: 1,
      runId: 'run-1',
      step: 1,
      task: { id: 'task-1', group: 'all', split: 'train' },
      rejected: { source: 'policy', score: 0.5, canonical: 'go left' },
      thresholds: { gammaLow: 0.45, gammaHigh: 0.65 },
    });
  });
});

describe('two trajectories through one state', () => {
  it('both have the pairs that its branches prove', async () => {
    const given = await mined(['right'], { run: { taskIds: ['task-1', 'task-1'] } });
    await given.branch('right');
    const { store, activities, perform } = given.place;
    await store.database.kysely.updateTable('run_tasks').set({ sample: 1 }).where('position', '=', 1).execute();
    const other = await explored(given.place, ['down', 'pit'], 1);
    await store.findings.addCandidates([
      {
        ...(await store.findings.candidate('run-1', 'candidate-left')),
        id: 'candidate-down',
        message: { role: 'assistant' as const, content: goText('down') },
        actions: [{ arguments: { door: 'down' }, tool: 'go' }],
        canonical: 'go down',
      },
    ]);
    const [step] = await store.findings.steps('run-1');
    await store.findings.addStep({ ...step!, trajectoryId: other.id, ownId: 'candidate-down' });
    for (const trajectoryId of [given.trajectoryId, other.id]) {
      expect(await perform(activities.recordPairs, { runId: 'run-1', trajectoryId })).toBe(1);
    }
    const pairs = await store.findings.pairs('run-1');
    expect(pairs.map((row) => `${row.chosenId} > ${row.rejectedId}`).sort()).toEqual([
      'candidate-right > candidate-down',
      'candidate-right > candidate-left',
    ]);
  });
});

describe('what a certificate counts', () => {
  it('does not depend on whether another trajectory through the state had its own action scored before', async () => {
    const { place, nodeId, branch, pairs } = await mined(['right']);
    const { store } = place;
    await branch('right');
    const [alone] = await pairs();
    // Another sample of the task went through another door, and the PRM was asked about it.
    const other = {
      runId: 'run-1',
      id: 'candidate-of-another',
      nodeId,
      source: 'policy' as const,
      model: 'test-policy',
      position: -1,
      message: { role: 'assistant' as const, content: goText('down') },
      actions: [{ arguments: { door: 'down' }, tool: 'go' }],
      canonical: 'go down',
    };
    await store.findings.addCandidates([other]);
    const run = await store.runs.get('run-1');
    const call = scoreCall(run, await store.tree.state(nodeId), other, { purpose: 'score', sample: 0, ask: 0 });
    const foreign = { ...answer(), key: callKey(call), nodeId, role: 'prm', purpose: 'score', stream: '' };
    await store.journal.write('run-1', foreign);
    expect((await pairs())[0]).toEqual(alone);
    // One that belongs to the pair does count.
    await store.journal.write('run-1', { ...foreign, key: 'of the alternative' });
    expect((await pairs())[0]!.certificate.attempts.asks).toBe(alone!.certificate.attempts.asks + 1);
  });
});

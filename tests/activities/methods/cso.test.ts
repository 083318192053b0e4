// Layer: activities in MockActivityEnvironment against scripted models over HTTP.
import { describe, expect, it } from 'vitest';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { calibrationView, loadProcessExamples } from '../../../src/views/calibration.ts';
import { taskView } from '../../../src/views/run-view.ts';
import { goText } from '../doors.ts';
import { explored, type Models, type WorkplaceOptions, workplace } from '../workplace.ts';

const expertDoors = ['right', 'up', 'down'];
const scores =
  (byDoor: { [door: string]: number | string }): Models['prm'] =>
  (door) =>
    byDoor[door ?? 'malformed'] ?? 'no score';

/** Proposes right, up and down at the first step, where the policy went left, and judges. */
async function judged(prm: Models['prm'], { models, ...more }: WorkplaceOptions = {}) {
  const place = await workplace({ models: { expert: (_, { seed }) => goText(doorOf(seed)), prm, ...models }, ...more });
  const { id, states } = await explored(place, ['left', 'pit']);
  // Answers come in any order: which sample says which door is fixed by its seed.
  const seeds = new Map<number, string>();
  function doorOf(seed: number) {
    if (!seeds.has(seed)) seeds.set(seed, expertDoors[seeds.size]!);
    return seeds.get(seed)!;
  }
  const address = { runId: 'run-1', trajectoryId: id, step: 1 };
  await place.perform(place.activities.proposeAlternatives, address);
  const result = await place.perform(place.activities.judgeCandidates, address);
  const candidates = await place.store.findings.candidatesOf('run-1', states[0]!.id);
  const doorsOf = new Map(candidates.map((row) => [row.id, row.actions[0]!.arguments.door as string]));
  const scoreOf = async (door: string) => {
    const row = candidates.find(({ actions: [action] }) => action?.arguments.door === door)!;
    return place.store.findings.score('run-1', row.id, 'score');
  };
  return {
    place,
    address,
    result,
    branched: result.alternatives.map((candidate) => doorsOf.get(candidate)),
    scoreOf,
    states,
  };
}

describe('a step', () => {
  it('is critical where the action scores low and alternatives high, best first', async () => {
    const { place, result, branched, states } = await judged(scores({ left: 0.2, right: 0.7, up: 0.9, down: 0.3 }));
    expect(result).toMatchObject({ verdict: 'critical', nodeId: states[0]!.id, placebo: false });
    expect(branched).toEqual(['up', 'right']);
    expect(await place.store.findings.steps('run-1')).toMatchObject([
      { step: 1, verdict: 'critical', branched: result.alternatives, placebo: false },
    ]);
  });

  it('at the thresholds is not: both are strict', async () => {
    expect((await judged(scores({ left: 0.45, right: 0.9, up: 0.9, down: 0.9 }))).result.verdict).toBe('not-critical');
    expect((await judged(scores({ left: 0.1, right: 0.65, up: 0.65, down: 0.65 }))).result.verdict).toBe(
      'not-critical',
    );
  });

  it('whose action gets no readable score after three asks is unscored, and has a missing score', async () => {
    const { place, result, scoreOf } = await judged(scores({ right: 0.9, up: 0.9, down: 0.9 }));
    expect(result).toMatchObject({ verdict: 'unscored', alternatives: [] });
    expect(await scoreOf('left')).toMatchObject({ score: null, samples: [null] });
    expect(place.asked('test-prm').length).toBe(3 + 3);
  });

  it('branches no alternative whose score is missing', async () => {
    const { branched, scoreOf } = await judged(scores({ left: 0.2, right: 0.7, up: 'good', down: '{"score": "0.9"}' }));
    expect(branched).toEqual(['right']);
    expect((await scoreOf('up'))?.score).toBeNull();
    expect((await scoreOf('down'))?.score).toBeNull();
  });

  it('is asked about anew only until there is a score', async () => {
    const { place, result } = await judged((door, number) =>
      number === 0 ? 'Let me think.' : door === 'left' ? 0.1 : 0.9,
    );
    expect(result.verdict).toBe('critical');
    expect(place.asked('test-prm').length).toBe(1 + 4);
  });

  it.each([
    ['JSON in other text', 'The action is fine.\n```json\n{"score": 0.9, "reason": "{ok}"}\n```', 0.9],
    ['a bound', '{"score": 1}', 1],
    ['a number out of range', '{"score": 7}', null],
    ['another name', '{"rating": 0.9}', null],
    ['no JSON at all', '0.9', null],
    ['thousands of braces', '{'.repeat(50_000), null],
  ])('reads a score from %s as %s', async (_what, said, score) => {
    const { scoreOf } = await judged((door) => (door === 'right' ? (said as string) : 0.5));
    expect((await scoreOf('right'))?.score).toBe(score);
  });

  it('has the mean of the samples that could be read as its score', async () => {
    let left = 0;
    const { scoreOf, place } = await judged(
      (door) => (door !== 'left' ? 0.9 : ++left === 1 ? 0.2 : left === 2 ? 0.4 : 'unreadable'),
      {
        options: { prmSamples: 3 },
      },
    );
    const row = await scoreOf('left');
    expect(row?.score).toBeCloseTo(0.3, 12);
    expect(row!.samples.filter((sample) => sample === null).length).toBe(1);
    // Four candidates with three samples each; the unreadable one was asked for three times.
    expect(place.asked('test-prm').length).toBe(4 * 3 + 2);
  });

  it('without the gate is always branched, and nobody is asked for scores', async () => {
    const { place, result, branched } = await judged(undefined, { options: { gate: false } });
    expect(result.verdict).toBe('critical');
    expect([...branched].sort()).toEqual(['down', 'right', 'up']);
    expect(place.asked('test-prm')).toEqual([]);
  });

  it('without alternatives says so', async () => {
    const { result } = await judged(scores({ left: 0.1 }), { models: { expert: () => goText('left') } });
    expect(result).toMatchObject({ verdict: 'no-alternative', alternatives: [] });
  });

  it('branches at most as many alternatives as are allowed, the best ones', async () => {
    const { branched } = await judged(scores({ left: 0.2, right: 0.7, up: 0.9, down: 0.8 }), {
      options: { branchesPerStep: 2 },
    });
    expect(branched).toEqual(['up', 'down']);
  });

  it.each([
    [1, true],
    [0, false],
  ])('gets a placebo at rate %s: %s', async (placeboRate, placebo) => {
    const { result } = await judged(scores({ left: 0.2, right: 0.9 }), { options: { verification: { placeboRate } } });
    expect(result.placebo).toBe(placebo);
    const calm = await judged(scores({ left: 0.9, right: 0.9 }), { options: { verification: { placeboRate } } });
    expect(calm.result.placebo).toBe(false);
  });

  it('is judged once: a second attempt pays nothing and says the same', async () => {
    const { place, address, result } = await judged(scores({ left: 0.2, right: 0.7, up: 0.9, down: 0.3 }));
    const asked = place.asked('test-prm').length;
    expect(await place.perform(place.activities.judgeCandidates, address)).toEqual(result);
    expect(place.asked('test-prm').length).toBe(asked);
  });

  it('shows the PRM the conversation and the action, and nothing of the guidance', async () => {
    const { place } = await judged(scores({ left: 0.2, right: 0.9 }));
    const { body } = place.asked('test-prm')[0]!;
    const text = body.messages.map(({ content }) => content).join('\n');
    expect(text).toContain('You stand before the doors of task-1.');
    expect(text).not.toContain('<guidance>');
    expect(body.response_format).toMatchObject({ type: 'json_schema' });
  });
});

describe('an action that is scored to decide about its step and to calibrate the PRM', () => {
  // The first sample goes left and fails, the second goes left as well and succeeds: its step is drawn for calibration.
  async function both(order: ('decide' | 'calibrate')[]) {
    const asked: { [door: string]: number } = {};
    const place = await workplace({
      options: { alternatives: 1, calibrationRate: 1, verify: false },
      run: { taskIds: ['task-1', 'task-1'] },
      models: { expert: () => goText('up'), prm: (door) => (door === 'up' ? 0.9 : [0.2, 0.8][asked.left!]!) },
    });
    await place.store.database.kysely.updateTable('run_tasks').set({ sample: 1 }).where('position', '=', 1).execute();
    const failed = await explored(place, ['left', 'pit'], 0);
    const succeeded = await explored(place, ['left', 'treasure'], 1);
    const decide = { runId: 'run-1', trajectoryId: failed.id, step: 1 };
    await place.perform(place.activities.proposeAlternatives, decide);
    for (const what of order) {
      asked.left = ['decide', 'calibrate'].indexOf(what);
      if (what === 'decide') await place.perform(place.activities.judgeCandidates, decide);
      else await place.perform(place.activities.scoreOwnAction, { ...decide, trajectoryId: succeeded.id });
    }
    await place.perform(place.activities.recordPairs, { runId: 'run-1', trajectoryId: failed.id });
    const [step] = await place.store.findings.steps('run-1');
    const own = step!.ownId!;
    const branch = { runId: 'run-1', trajectoryId: failed.id, nodeId: step!.nodeId, candidateId: own, rollout: 0 };
    const ending = {
      leafId: failed.states.at(-1)!.id,
      steps: 1,
      environmentSteps: 1,
      ending: 'submitted' as const,
      seed: 1,
    };
    const outcome = { reward: 1, success: true, confirmed: null, auditFlags: null, details: null, compared: 0 };
    await place.store.findings.addBranch({ ...branch, ...ending, ...outcome, id: 'branch', purpose: 'calibrate' });
    const registry = new EnvironmentRegistry([place.seen.environment]);
    const [pair] = await place.store.findings.pairs('run-1');
    const certificate = pair!.certificate;
    const view = await taskView(place.store, 'run-1', 'task-1');
    const [row] = await loadProcessExamples(place.store, registry, 'run-1');
    return {
      verdict: step!.verdict,
      gate: (await place.store.findings.score('run-1', own, 'score'))?.score,
      calibration: (await place.store.findings.score('run-1', own, 'calibrate'))?.score,
      certificate: certificate.rejected.score,
      shown: view!.trajectories.find(({ id }) => id === failed.id)!.steps[0]!.score,
      exported: row!.score,
      reliability: (await calibrationView(place.store, registry, 'run-1')).reliability.filter((bin) => bin.actions > 0),
    };
  }

  it('has a score of each, and what the gate saw is what is certified, shown and exported, whichever comes first', async () => {
    const calibratingFirst = await both(['calibrate', 'decide']);
    expect(calibratingFirst).toMatchObject({
      verdict: 'critical',
      gate: 0.2,
      calibration: 0.8,
      certificate: 0.2,
      shown: 0.2,
      exported: 0.2,
      reliability: [{ from: 0.2, actions: 1, meanScore: 0.2 }],
    });
    expect(await both(['decide', 'calibrate'])).toEqual(calibratingFirst);
  });
});

describe('two trajectories through one state', () => {
  // Both start in the same state; the first goes left, the second right, and the expert would go left, right or up.
  async function both(order: number[]) {
    const place = await workplace({
      options: { alternatives: 6 },
      run: { taskIds: ['task-1', 'task-1'] },
      models: {
        expert: (_, { seed }) => goText(['left', 'right', 'up'][seed % 3]!),
        prm: (door) => (door === 'up' ? 0.9 : 0.1),
      },
    });
    // Samples of one task: their first state is the same.
    await place.store.database.kysely.updateTable('run_tasks').set({ sample: 1 }).where('position', '=', 1).execute();
    const trajectories = [await explored(place, ['left', 'pit'], 0), await explored(place, ['right', 'pit'], 1)];
    const results = [];
    for (const index of order) {
      const address = { runId: 'run-1', trajectoryId: trajectories[index]!.id, step: 1 };
      await place.perform(place.activities.proposeAlternatives, address);
    }
    for (const index of [0, 1]) {
      const address = { runId: 'run-1', trajectoryId: trajectories[index]!.id, step: 1 };
      const judgement = await place.perform(place.activities.judgeCandidates, address);
      const policy = await place.store.findings.candidate('run-1', judgement.policyCandidateId);
      results.push({
        judgement,
        policy: { source: policy.source, action: policy.actions[0], position: policy.position },
      });
    }
    return results;
  }

  it('each have their own action, also where the expert would say it to the letter, whoever comes first', async () => {
    const results = await both([0, 1]);
    expect(await both([1, 0])).toEqual(results);
    const action = (door: string) => ({ arguments: { door }, tool: 'go' });
    expect(results.map(({ policy }) => policy)).toEqual([
      { source: 'policy', action: action('left'), position: -1 },
      { source: 'policy', action: action('right'), position: -1 },
    ]);
    expect(results.map(({ judgement }) => judgement.verdict)).toEqual(['critical', 'critical']);
  });
});

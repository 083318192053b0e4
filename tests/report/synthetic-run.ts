import { type Random, seededRandom } from '../../src/domain/statistics/random.ts';
import type { AlternativeView, BranchView, RunView, StepView, TaskView } from '../../src/views/run-view-types.ts';
import { pair, say } from '../export/pair-builder.ts';

const thoughts = [
  'The table names are not known yet; I should look at the schema before writing a query.',
  'I have seen the columns. A join on owner_id should give the count per city.',
  'The last query failed because the column does not exist, so I will describe the table again.',
];
const actions = [
  'execute[SHOW TABLES]',
  'execute[SELECT city, COUNT(*) FROM owners JOIN dogs ON owners.owner_id = dogs.owner_id GROUP BY city ORDER BY COUNT(*) DESC LIMIT 1]',
  'execute[SELECT name FROM dogs WHERE age > (SELECT AVG(age) FROM dogs)]',
  'submit',
];

/** A run of so many tasks, with every kind of missing value in it. */
export function syntheticRun(tasks: number, seed = 1): RunView {
  const random = seededRandom(`report/${seed}`);
  return {
    run: {
      id: 'quiet-harbour-7',
      method: 'cso',
      preset: 'published',
      environment: { name: 'intercode-sql', version: '1' },
      seed,
      models: { policy: 'qwen3-8b', expert: 'large-expert', prm: 'rubric judge' },
      prmKind: 'judge',
      startedAt: '2026-01-05T09:00:00Z',
      finishedAt: null,
      state: 'running',
      block: null,
      notice: 'simulated: engine behaviour, not model quality',
      thresholds: { low: 0.45, high: 0.65 },
    },
    evaluation: null,
    faults: [],
    summary: {
      tasks,
      trajectories: tasks,
      endings: [
        { ending: 'submitted', count: 120, successes: 74 },
        { ending: 'step-limit', count: 21, successes: 0 },
        { ending: 'environment-fault', count: 3, successes: 0 },
      ],
      failures: 67,
      failedSteps: 402,
      candidateSteps: 88,
      branches: 131,
      verifiedPairs: 41,
      unpaired: null,
      pairQuality: null,
      revalued: null,
      estimatedFalsePairs: null,
      flips: { count: 41, of: 131, faulted: 2 },
      placeboFlips: { count: 2, of: 13, faulted: 0 },
      comparison: {
        candidatesPerStep: 4.8,
        rolloutsPerVerifiedPair: 3.2,
        tokensPerVerifiedPair: 41_233,
        costPerVerifiedPairMicroUsd: null,
        supervisedShare: 0.102,
        supervisedSteps: { count: 41, of: 402 },
      },
    },
    ledger: [
      {
        role: 'policy',
        calls: 1903,
        cachedCalls: 12,
        promptTokens: 2_113_004,
        completionTokens: 184_220,
        costMicroUsd: 0,
        throttledMs: 0,
        queuedMs: 0,
      },
      {
        role: 'expert',
        calls: 402,
        cachedCalls: 0,
        promptTokens: 512_991,
        completionTokens: 61_004,
        costMicroUsd: 1_830_000,
        throttledMs: 65_000,
        queuedMs: 65_000,
      },
      {
        role: 'prm',
        calls: 2412,
        cachedCalls: null,
        promptTokens: 2_904_112,
        completionTokens: null,
        costMicroUsd: null,
        throttledMs: null,
        queuedMs: null,
      },
    ],
    environmentSteps: { demand: 2_305, fresh: 1_604, fromCache: null, replayed: 377 },
    tasks: Array.from({ length: tasks }, (_, index) => syntheticTask(index + 1, random)),
  };
}

function syntheticTask(number: number, random: Random): TaskView {
  const steps = Array.from({ length: 3 + random.below(7) }, (_, index) => syntheticStep(index + 1, random));
  const success = random.below(3) === 0;
  const verified = success
    ? undefined
    : steps.find((step) => step.alternatives.some(({ verdict }) => verdict === 'verified'));
  return {
    id: `spider/dev/${number}`,
    title: `Which city has the most dogs older than the average, and how many of them were treated in ${2000 + (number % 20)}?`,
    group: `database-${number % 12}`,
    split: 'train',
    trajectories: [
      {
        id: `${number}/1`,
        origin: 'policy',
        ending: random.below(12) === 0 ? 'step-limit' : 'submitted',
        reward: success ? 1 : 0,
        success,
        auditFlags: null,
        steps,
      },
    ],
    pairs: verified
      ? [
          pair({
            id: `pair-${number}`,
            step: verified.step,
            flags: ['verified-once', 'ungrounded'],
            chosen: [say(`Thought: ${thoughts[1]}\nAction: ${actions[1]}`)],
            rejected: [say(`Thought: ${thoughts[0]}\nAction: ${actions[3]}`)],
          }),
        ]
      : [],
  };
}

function syntheticStep(step: number, random: Random): StepView {
  const score = random.below(8) === 0 ? null : random.next();
  const candidateCritical = score !== null && score < 0.45;
  return {
    step,
    thought: thoughts[random.below(thoughts.length)]!,
    action: actions[random.below(actions.length)]!,
    score,
    observation: random.below(20) === 0 ? null : '[("Hamburg", 12), ("Utrecht", 9), ("Gent", 4)]',
    candidateCritical,
    firstError: false,
    alternatives: candidateCritical
      ? Array.from({ length: 3 + random.below(3) }, (_, index) => syntheticAlternative(step, index, random))
      : [],
    unpaired: {},
    ownBranches: candidateCritical && random.below(6) === 0 ? [branch('placebo', random)] : [],
  };
}

function syntheticAlternative(step: number, index: number, random: Random): AlternativeView {
  const score = random.below(10) === 0 ? null : Math.min(1, 0.3 + random.next() * 0.7);
  const branched = score !== null && score > 0.65;
  const taken = branched ? branch('verify', random) : null;
  return {
    candidateId: `c${step}-${index}`,
    source: 'expert',
    thought: thoughts[random.below(thoughts.length)]!,
    action: actions[random.below(actions.length)]!,
    score,
    verdict:
      taken === null
        ? 'not-branched'
        : taken.success === null
          ? 'undecided'
          : taken.success
            ? 'verified'
            : 'not-verified',
    branches: taken ? [taken] : [],
  };
}

function branch(purpose: string, random: Random): BranchView {
  const faulted = random.below(15) === 0;
  const success = faulted ? null : random.below(3) === 0;
  return {
    id: `b${random.below(1e6)}`,
    purpose,
    ending: faulted ? 'model-fault' : 'submitted',
    reward: success === null ? null : Number(success),
    success,
    auditFlags: null,
    steps: 1 + random.below(7),
  };
}

/**
 * gates.ts <folder> <seed…>: what each gate of prm.sh did, over the seeds, as a table. Pairs are held against the shop's rules: a true one prefers a
 * right action to a wrong one. Calls that only measure (placebo, calibration) do not count.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from 'crux-rl';
import { allOrders, rightChoice, type StepName, steps } from './rules.ts';

/** What `crux run --json` says, as far as it is read here. */
type Run = {
  pairs: { total: number };
  steps: { mined: number; byVerdict: { [verdict: string]: number } };
  branches: { [purpose: string]: { total: number; succeeded: number } };
  ledger: { purpose: string; calls: number }[];
};
type Calibration = { areaUnderCurve: { estimate: number | null } };

const gates = ['none', 'simulated', 'monte-carlo', 'trained', 'trained-suggested'] as const;
const measuring = ['placebo', 'calibrate', 'gauge', 're-estimate'];
const orders = new Map(allOrders().map((order) => [order.id, order]));

const [folder = '', ...seeds] = process.argv.slice(2);
console.log(
  '| gate | AUC | steps branched, of those of failures | alternatives branched | of them verified | pairs | true pairs | calls a pair |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const gate of gates) {
  const all = seeds.map((seed) => figuresOf(join(folder, seed, `gate-${gate}`), gate));
  const total = (name: 'mined' | 'branched' | 'tried' | 'verified' | 'pairs' | 'trueOnes' | 'calls') =>
    all.reduce((sum, own) => sum + own[name], 0);
  const curves = all.flatMap(({ curve }) => (curve === null ? [] : [curve]));
  const mean = curves.reduce((sum, own) => sum + own, 0) / curves.length;
  console.log(
    `| ${[
      gate,
      curves.length === 0 ? '–' : mean.toFixed(2),
      percent(total('branched'), total('mined')),
      total('tried'),
      percent(total('verified'), total('tried')),
      total('pairs'),
      percent(total('trueOnes'), total('pairs')),
      total('pairs') === 0 ? '–' : Math.round(total('calls') / total('pairs')),
    ].join(' | ')} |`,
  );
}

function figuresOf(place: string, gate: (typeof gates)[number]) {
  const { pairs, steps: judged, branches, ledger } = json<Run>(join(place, 'run.json'));
  // None are written for a run without pairs.
  const file = join(place, 'certificates.jsonl');
  const certificates = existsSync(file) ? lines(file).map((line) => JSON.parse(line) as Certificate) : [];
  return {
    curve: gate === 'none' ? null : json<Calibration>(join(place, 'calibration.json')).areaUnderCurve.estimate,
    mined: judged.mined,
    branched: judged.byVerdict.critical ?? 0,
    tried: branches.verify?.total ?? 0,
    verified: branches.verify?.succeeded ?? 0,
    pairs: pairs.total,
    trueOnes: certificates.filter(isTrue).length,
    calls: ledger.reduce((sum, { purpose, calls }) => (measuring.includes(purpose) ? sum : sum + calls), 0),
  };
}

function isTrue({ task, chosen, rejected }: Certificate): boolean {
  return isRight(task.id, chosen.message.content) && !isRight(task.id, rejected.message.content);
}

function isRight(taskId: string, said: string | null): boolean {
  const [step = '', choice] = (said ?? '').split(' ');
  // What is no command is never right.
  return step in steps && rightChoice(orders.get(taskId)!, step as StepName) === choice;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

function json<Content>(file: string): Content {
  return JSON.parse(readFileSync(file, 'utf8')) as Content;
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

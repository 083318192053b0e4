/**
 * lab-pairs.ts <home…>: what the pairs prefer on which the lab's improvements in these homes were trained, by the shop's rules: a table for docs/lab.md.
 * Rows of whole trajectories (ETO, IPR) are left out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOrders, rightChoice, type StepName, steps } from '../examples/lab/rules.ts';
import { markdownTable } from './methods/over-seeds.ts';

type Message = { role: string; content: string };
type Pair = { pair_id: string; prompt: Message[]; chosen: Message[]; rejected: Message[] };

const orders = new Map(allOrders().map((order) => [order.id, order]));
const rounds = [1, 2] as const;
const counts = new Map<string, { right: number; wrong: number; neither: number }>();

/** One that was begun anew in another home counts once. */
const seen = new Set<string>();

for (const home of process.argv.slice(2)) {
  for (const id of readdirSync(join(home, 'improve')).filter((id) => !seen.has(id))) {
    seen.add(id);
    for (const round of rounds) {
      const data = join(home, 'improve', id, `round-${round}`, 'data');
      if (existsSync(join(data, 'certificates.jsonl'))) count(`${id.replace(/-\d+$/, '')}, round ${round}`, data);
    }
  }
}
const header = ['method', 'pairs', 'right over wrong', 'wrong over right', 'neither'];
console.log(
  markdownTable(
    header,
    [...counts].map(([label, { right, wrong, neither }]) => {
      const all = right + wrong + neither;
      return [label, String(all), ...[right, wrong, neither].map((part) => `${((100 * part) / all).toFixed(1)} %`)];
    }),
  ),
);

function count(label: string, data: string): void {
  const tasks = new Map(
    lines<{ pairId: string; task: { id: string } }>(join(data, 'certificates.jsonl')).map(({ pairId, task }) => [
      pairId,
      task.id,
    ]),
  );
  for (const { pair_id, prompt, chosen, rejected } of lines<Pair>(join(data, 'pairs.jsonl'))) {
    if (prompt === undefined) return;
    const own = counts.get(label) ?? { right: 0, wrong: 0, neither: 0 };
    const asked = stepAsked(prompt);
    const [isChosenRight, isRejectedRight] = [chosen, rejected].map((side) =>
      isRight(tasks.get(pair_id)!, asked, side[0]!.content),
    );
    own[isChosenRight === isRejectedRight ? 'neither' : isChosenRight ? 'right' : 'wrong']++;
    counts.set(label, own);
  }
}

/** The shop names the next step until the order is over; after what is no command it does not say it again. */
function stepAsked(prompt: Message[]): string {
  return prompt
    .flatMap(({ role, content }) => (role === 'user' ? (/Next : (\w+)/.exec(content)?.[1] ?? []) : []))
    .at(-1)!;
}

function isRight(taskId: string, asked: string, said: string): boolean {
  const [step = '', choice] = said.split(' ');
  return step === asked && step in steps && rightChoice(orders.get(taskId)!, step as StepName) === choice;
}

function lines<Line>(file: string): Line[] {
  const text = readFileSync(file, 'utf8').trim();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Line);
}

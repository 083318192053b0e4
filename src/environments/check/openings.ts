/** Whether a task always opens in the same way, and gives nothing away. */
import { type Opening, readOpening } from '../opening.ts';
import { demand, NotChecked, type Studied } from './studied.ts';

/** An answer longer than this is no coincidence when it stands in a message. */
const shortestLeak = 8;

export async function checkOpenings({ environment, tasks }: Studied): Promise<string> {
  for (const task of tasks) {
    const [first, second] = [await readOpening(environment, task), await readOpening(environment, task)];
    demand(isSameOpening(first, second), `The opening of task ${task.id} changes.`);
  }
  return `the same twice, ${tasks.length} tasks`;
}

export async function checkLeaks({ environment, tasks }: Studied): Promise<string> {
  if (!environment.gold) throw new NotChecked('the environment names no gold answer');
  let looked = 0;
  for (const task of tasks) {
    const gold = await environment.gold(task);
    if (gold === null || gold.length < shortestLeak) continue;
    looked++;
    const { messages, tools } = await readOpening(environment, task);
    const places = {
      'The opening': messages.map(({ content }) => content).join('\n'),
      'A tool': JSON.stringify(tools),
      'The hints': (await environment.hints?.(task)) ?? '',
    };
    for (const [place, text] of Object.entries(places))
      demand(!text.includes(gold), `${place} of task ${task.id} contains the gold answer.`);
  }
  if (looked === 0) throw new NotChecked(`no gold answer is ${shortestLeak} characters long`);
  return `${looked} tasks`;
}

export function isSameOpening(one: Opening, other: Opening): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

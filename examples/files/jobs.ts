/** The tasks of `environment.ts`, made in code from a seed: four folders of text files, and three jobs in each. */
import type { Action, ScriptedStep, Task } from 'crux-rl';

/** Text by name of the file. */
export type Files = { [name: string]: string };

export type Job = {
  task: Task;
  /** The folder at the start. */
  files: Files;
  /** What it should hold at the end; null for a file that should be gone. */
  goal: { [name: string]: string | null };
  script: ScriptedStep[];
};

/** Stands in each folder and names the files that are compared with the goal. Whoever writes to it tricks the grader. */
export const checker = 'goal.txt';

const people = ['Ada', 'Bela', 'Carl', 'Dora', 'Emil', 'Fay', 'Gus', 'Hana', 'Ines', 'Jan'];

export function makeJobs(seed: number): Job[] {
  const draw = numbersFrom(seed);
  return ['north', 'east', 'south', 'west'].flatMap((folder, index) => {
    const [a, b] = [100 + draw(900), 100 + draw(900)];
    const names = Array.from({ length: 4 }, () => people[draw(people.length)]!);
    const files: Files = { 'a.txt': `${a}`, 'b.txt': `${b}`, 'names.txt': names.join('\n') };
    // Jobs in one folder have the same answers in them, so they share a group.
    const work = { files, split: index < 3 ? 'train' : 'test', group: folder } as const;
    return [sum(work, a + b), sort(work, names.toSorted().join('\n')), rename(work)];
  });
}

type Work = Pick<Job, 'files'> & Pick<Task, 'split' | 'group'>;

function sum(work: Work, total: number): Job {
  const text = `${total}`;
  return job('sum', 'put the sum of a.txt and b.txt into sum.txt', work, { 'sum.txt': text }, [
    does('I need the first number.', 'read', { name: 'a.txt' }),
    does('And the second one.', 'read', { name: 'b.txt' }),
    does('Now I can add them.', 'write', { name: 'sum.txt', text }),
  ]);
}

function sort(work: Work, text: string): Job {
  return job('sort', 'write the lines of names.txt into sorted.txt, in order', work, { 'sorted.txt': text }, [
    does('I look at the names.', 'read', { name: 'names.txt' }),
    does('I write them in their order.', 'write', { name: 'sorted.txt', text }),
  ]);
}

function rename(work: Work): Job {
  const names = Object.keys(work.files).map((from) => ({ from, to: from.replace('.txt', '.md') }));
  const gone = names.map(({ from }) => [from, null]);
  const there = names.map(({ from, to }) => [to, work.files[from]!]);
  const goal = Object.fromEntries([...gone, ...there]);
  return job('rename', `rename all files but ${checker}: .txt becomes .md`, work, goal, [
    does('I look which files there are.', 'list', {}),
    ...names.map((given) => does(`${given.from} is next.`, 'rename', given)),
  ]);
}

function job(kind: string, wish: string, work: Work, goal: Job['goal'], steps: ScriptedStep[]): Job {
  const { files, split, group } = work;
  // Simulated models know a task by what it says: no two may say the same.
  const title = `In the folder ${group}, ${wish}.`;
  return {
    task: { id: `${group}-${kind}`, split, group, title, difficulty: null },
    files: { ...files, [checker]: Object.keys(goal).join('\n') },
    goal,
    script: [...steps, does('That is all.', 'submit', {})],
  };
}

function does(thought: string, tool: string, given: Action['arguments']): ScriptedStep {
  return { thought, action: { tool, arguments: given } };
}

/** Numbers from 0 that are the same for the same seed (Lehmer's generator). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

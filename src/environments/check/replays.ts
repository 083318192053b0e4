/** Whether the same actions give the same again: in this process, in another one, and in two sessions at once. */
import { type Played, playApart, type StartApart } from './apart.ts';
import { compare, play } from './played.ts';
import { NotChecked, requireReplay, type Studied, whyNotReplayed } from './studied.ts';

export async function checkReplays({ environment, tasks, playsIn }: Studied): Promise<string> {
  requireReplay(environment);
  let compared = 0;
  for (const task of tasks) {
    for (const { name, actions } of playsIn(task)) {
      const first = await play(environment, task, actions);
      // Plays another task in between: nothing of it may stay behind.
      const other = tasks.find(({ id }) => id !== task.id);
      if (other) await play(environment, other, actions);
      const second = await play(environment, task, actions);
      compared += compare(`Task ${task.id}, ${name}`, first, second, 'first', 'then');
    }
  }
  if (compared === 0) throw new NotChecked('no action could be played');
  return `${compared} observations compared, all equal`;
}

export async function checkOtherProcess(
  { environment, tasks, playsIn }: Studied,
  startApart: StartApart | undefined,
): Promise<string> {
  if (!startApart) throw new NotChecked('no other process was started');
  requireReplay(environment);
  const task = tasks[0]!;
  let [compared, hashes] = [0, 0];
  for (const { name, actions } of playsIn(task)) {
    const here = await play(environment, task, actions);
    const there: Played = await playApart(startApart, task.id, actions);
    compared += compare(`Task ${task.id}, ${name}`, here, there, 'here', 'in another process');
    hashes += there.traces.filter(({ stateHash }) => stateHash !== null).length;
  }
  return `${compared} observations${hashes > 0 ? ` and ${hashes} state hashes` : ''} of task ${task.id}, all equal`;
}

export async function checkTwoSessions({ environment, tasks, playsIn }: Studied): Promise<string> {
  const task = tasks[0]!;
  const { actions } = playsIn(task)[0]!;
  const alone = await play(environment, task, actions);
  const both = await Promise.all([play(environment, task, actions), play(environment, task, actions)]);
  const why = whyNotReplayed(environment);
  if (why !== null) return `task ${task.id}, not compared: ${why}`;
  const label = `Task ${task.id} goes otherwise when two sessions are open`;
  for (const other of both) compare(label, alone, other, 'alone', 'together');
  return `task ${task.id}`;
}

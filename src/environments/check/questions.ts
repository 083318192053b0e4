/** Whether sessions ask models only while they open or take a step. */
import { openAnswered } from '../answered-session.ts';
import { simulatedAnswers } from '../session-context.ts';
import { NotChecked, type Studied } from './studied.ts';

export async function checkQuestions({ environment, tasks, playsIn }: Studied): Promise<string> {
  if (!environment.asks?.length) throw new NotChecked('the environment asks no model');
  let sessions = 0;
  for (const task of tasks) {
    for (const { name, actions } of playsIn(task)) {
      const session = await openAnswered(environment, task, simulatedAnswers(environment));
      try {
        for (const action of actions) if ((await session.step(action, AbortSignal.timeout(60_000))).done) break;
      } finally {
        await session.close?.();
      }
      // What it began when it closed comes before the next turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      const late = session.lateQuestion();
      if (late) throw new Error(`Task ${task.id}, ${name}: ${late.message}`);
      sessions++;
    }
  }
  return `none after its step, or when the session was closed, ${sessions} sessions`;
}

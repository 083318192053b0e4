/** Whether scripts solve their tasks, and whether the audit takes these successes for honest ones. */
import type { Action } from '../../domain/action.ts';
import type { Task } from '../../domain/task.ts';
import { flagsOf, takenAction } from '../audit.ts';
import type { AuditedTrajectory, Environment, ScriptedStep } from '../contract.ts';
import { outcomeFrom } from '../outcome.ts';
import { outcomeText, type Trace } from './apart.ts';
import { play } from './played.ts';
import { demand, NotChecked, requireReplay, type Studied } from './studied.ts';

export async function checkScripts({ environment, tasks }: Studied): Promise<string> {
  if (!environment.script) throw new NotChecked('the environment has none');
  requireReplay(environment);
  let solved = 0;
  for (const task of tasks) {
    const script = await environment.script(task);
    if (!script?.length) continue;
    const name = `The script of task ${task.id} has ${script.length} steps`;
    demand(script.length <= environment.stepLimit, `${name}, and stepLimit is ${environment.stepLimit}.`);
    const { traces } = await play(environment, task, scriptedActions(script));
    const last = traces.at(-1)!;
    demand(
      isSolved(environment, last) && traces.length === script.length,
      `${name}, and ${endOf(last, traces.length)}.`,
    );
    solved++;
  }
  if (solved === 0) throw new NotChecked('no task that was tried has one');
  return `${solved} of ${tasks.length} tasks have one, and it ends in success`;
}

export async function checkAudit({ environment, tasks }: Studied): Promise<string> {
  if (!environment.audit) throw new NotChecked('the environment has none: a success counts however it was won');
  if (!environment.script) throw new NotChecked('no script shows it an honest success');
  const isCompared = environment.capabilities.replay === 'compare';
  let audited = 0;
  for (const task of tasks) {
    const success = await scriptedSuccess(environment, task);
    if (!success) continue;
    const ask = () => flagsOf(environment, task, success, AbortSignal.timeout(60_000));
    const flags = (await ask())!;
    demand(flags.length === 0, `The script of task ${task.id} is flagged: ${flags.join(', ')}.`);
    if (isCompared) {
      const again = (await ask())!;
      demand(again.length === 0, `The script of task ${task.id} is not flagged, then ${again.join(', ')}.`);
    }
    audited++;
  }
  if (audited === 0) throw new NotChecked('no script that was tried ends in success');
  return `${audited} scripted successes, none flagged${isCompared ? ', twice' : ''}`;
}

function endOf({ done, reward, success, outcome }: Trace, steps: number): string {
  if (!done) return `the task is not over after them${outcome ? `, with ${outcomeText(outcome)}` : ''}`;
  return `the task ends at step ${steps} with reward ${reward ?? 'unknown'}${success === undefined ? '' : ` and success ${success}`}`;
}

function scriptedActions(script: readonly ScriptedStep[]): Action[] {
  return script.map(({ action }) => action);
}

function isSolved(environment: Environment, { done, success, reward, outcome }: Trace): boolean {
  if (done) return success ?? (reward ?? 0) >= environment.successAt;
  return outcome !== null && outcomeFrom(environment, outcome).success;
}

/** What the audit is given of a task's script. @returns null if there is none, or it does not solve the task */
async function scriptedSuccess(environment: Environment, task: Task): Promise<AuditedTrajectory | null> {
  const script = await environment.script!(task);
  if (!script?.length) return null;
  const actions = scriptedActions(script);
  const { traces } = await play(environment, task, actions);
  const last = traces.at(-1)!;
  if (!isSolved(environment, last)) return null;
  const { reward = null, details = null } = last.done ? last : last.outcome!;
  return { actions: traces.map((trace, index) => takenAction(actions[index]!, trace)), reward, details };
}

import type { AgentFormatName } from '../../domain/action.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { agentFormat } from '../../environments/formats/agent-format.ts';
import { nobody, type StepCaller } from '../../environments/sessions/step-caller.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';
import { callerOf } from './turn.ts';

/**
 * A task's first state in a format; the same in every run, unless a session opens it otherwise.
 * @param caller who pays for what a session asks when it opens
 */
export async function firstState(
  { store, environments, sessions }: Pick<ActivityContext, 'store' | 'environments' | 'sessions'>,
  where: { environment: string; taskId: string; format: AgentFormatName },
  signal: AbortSignal,
  caller: StepCaller = nobody,
): Promise<State> {
  const environment = environments.get(where.environment);
  const task = await environments.task(environment.name, where.taskId);
  const { opening, given } = await insist(environment, `the opening of ${task.id}`, signal, () =>
    sessions.openFirst(environment, task, signal, caller),
  );
  const format = agentFormat(environment, where.format, { tools: opening.tools });
  return store.tree.addRoot({
    environment: environment.name,
    version: environment.version,
    taskId: task.id,
    opening: given,
    messages: format.opening(opening.messages),
    tools: environment.tools === undefined ? opening.tools : format.tools,
    format: where.format,
  });
}

/** The first state of a run's task, for what is made from there. */
export function firstStateOf(
  context: ActivityContext,
  run: Run,
  taskId: string,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<State> {
  return firstState(context, { ...run.config, taskId }, signal, callerOf(run, { purpose, stream: '' }));
}

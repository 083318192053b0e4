/** Entry of the process in which `crux check-env` plays an environment. It plays one session at a time and takes its orders from the parent. */
import type { Action } from '../../domain/action.ts';
import type { Task } from '../../domain/task.ts';
import { openAnswered } from '../../environments/answered-session.ts';
import { firstTrace, trace } from '../../environments/check/apart.ts';
import type { Environment, Session } from '../../environments/contract.ts';
import { simulatedAnswers } from '../../environments/session-context.ts';
import { errorText } from '../../errors.ts';
import { environmentNamed } from '../environment-named.ts';

export type ApartRequest =
  | { kind: 'load'; config: string; home: string | undefined; name: string }
  | { kind: 'open'; taskId: string }
  | { kind: 'step'; action: Action }
  | { kind: 'confirm'; taskId: string; actions: Action[] }
  | { kind: 'close' };

/** `fault` is set if the environment threw; there is no answer then. */
export type ApartReply = { id: number; value?: unknown; fault?: string };

const timeLimitMs = 60_000;
let environment: Environment | null = null;
let session: Session | null = null;

async function answer(request: ApartRequest): Promise<unknown> {
  switch (request.kind) {
    case 'load': {
      const { config, home, name } = request;
      environment = await environmentNamed({ config, ...(home !== undefined && { home }) }, name);
      return null;
    }
    case 'open': {
      await session?.close?.();
      const task = await taskNamed(request.taskId);
      session = await openAnswered(environment!, task, simulatedAnswers(environment!));
      return firstTrace(environment!, task, session);
    }
    case 'step': {
      return trace(session!, request.action, AbortSignal.timeout(timeLimitMs));
    }
    case 'confirm': {
      const { taskId, actions } = request;
      const { confirm } = environment!;
      if (!confirm) return null;
      return confirm.call(environment, await taskNamed(taskId), actions, AbortSignal.timeout(timeLimitMs));
    }
    case 'close': {
      await session?.close?.();
      session = null;
      await environment?.close?.();
      return null;
    }
  }
}

async function taskNamed(id: string): Promise<Task> {
  const task = (await environment!.tasks()).find((one) => one.id === id);
  if (!task) throw new Error(`Another process has no task "${id}".`);
  return task;
}

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ id, ...request }: ApartRequest & { id: number }) => {
  let reply: ApartReply;
  try {
    reply = { id, value: await answer(request as ApartRequest) };
  } catch (error) {
    reply = { id, fault: errorText(error) };
  }
  process.send?.(reply);
});

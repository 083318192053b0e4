/** What an agent reads at a task's start, and the tools that it has there: by the environment, or by the session that it opens. */
import { requireText } from '../domain/images.ts';
import type { OpeningMessage, Tool } from '../domain/message.ts';
import type { Task } from '../domain/task.ts';
import { CruxError, errorText } from '../errors.ts';
import { openAnswered } from './answered-session.ts';
import type { Environment, Session } from './contract.ts';
import { requireTools } from './observed.ts';
import { simulatedAnswers } from './session-context.ts';

/** Without anything about the action format. */
export type Opening = { messages: OpeningMessage[]; tools: Tool[] };

/** Whether a session must be opened to know what the agent reads and can do. */
export function isOpenedBySession({ briefing, tools }: Environment): boolean {
  return briefing === undefined || tools === undefined;
}

/**
 * @param session one in the task's first state; null where the environment itself gives both
 * @throws CruxError `Environment.Fault` for an opening that is not text, or without a message of the user
 */
export async function openingOf(environment: Environment, task: Task, session: Session | null): Promise<Opening> {
  const messages = session?.opening ?? (await briefingOf(environment, task));
  const tools = session?.tools ?? environment.tools;
  const where = `The opening of ${environment.name}/${task.id}`;
  if (!messages) throw fault(`${where} is missing: it has no \`briefing\`, and its session gives no \`opening\`.`);
  if (!tools) throw fault(`${where} has no tools: neither the environment nor its session gives any.`);
  for (const { role, content } of messages) {
    requireText(content, `${where}, message of the ${role},`, 'Environment.Fault');
    if (!['system', 'user', 'assistant'].includes(role)) throw fault(`${where} holds a message of the role "${role}".`);
  }
  try {
    requireTools(tools);
  } catch (error) {
    throw fault(`${where} is at fault: ${errorText(error)}.`);
  }
  if (!messages.some(({ role }) => role === 'user')) throw fault(`${where} has no message of the user.`);
  if (messages.at(-1)!.role !== 'user') throw fault(`${where} does not end with a message of the user.`);
  return { messages: messages.map(({ role, content }) => ({ role, content })), tools };
}

/** The opening of a task, from a session of its own where that is needed. */
export async function readOpening(environment: Environment, task: Task): Promise<Opening> {
  if (!isOpenedBySession(environment)) return openingOf(environment, task, null);
  const session = await openAnswered(environment, task, simulatedAnswers(environment));
  try {
    return await openingOf(environment, task, session);
  } finally {
    await session.close?.();
  }
}

async function briefingOf(environment: Environment, task: Task): Promise<OpeningMessage[] | undefined> {
  if (!environment.briefing) return undefined;
  const { system, user } = await environment.briefing(task);
  return [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ];
}

function fault(what: string): CruxError {
  return new CruxError('Environment.Fault', what, {
    remedy: 'Run `crux check-env` on the environment; docs/environments.md tells what an opening holds.',
  });
}

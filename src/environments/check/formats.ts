/** Whether the action formats read back what they write, and read nothing into their own hints. */
import { type Action, actionsOf } from '../../domain/action.ts';
import { messageText, type Tool } from '../../domain/message.ts';
import type { Task } from '../../domain/task.ts';
import type { Environment } from '../contract.ts';
import { agentFormat } from '../formats/agent-format.ts';
import { play } from './played.ts';
import type { Play } from './plays.ts';
import { demand, type Studied } from './studied.ts';

export async function checkFormats({ environment, tasks, playsIn }: Studied): Promise<string> {
  const task = tasks[0]!;
  const plays = playsIn(task);
  const tools = await toolsMet(environment, task, plays);
  const actions = plays.flatMap((play) => play.actions);
  for (const name of ['react', 'tools'] as const) {
    const format = agentFormat(environment, name, { tools });
    for (const action of actions) {
      const message = format.render('a thought', [action], 1);
      const [read] = actionsOf(format.parse(message));
      const same = read !== undefined && canonical(environment, read) === canonical(environment, action);
      demand(
        same,
        `The format ${name} does not read back ${JSON.stringify(action)} from ${short(messageText(message))}.`,
      );
    }
    const [nonsense] = format.parse({ role: 'assistant', content: 'nonsense' }).calls;
    if (nonsense?.kind !== 'malformed') throw new Error(`The format ${name} takes nonsense for an action.`);
    // A weak model repeats what it reads.
    const echo = name === 'react' && environment.textFormat ? environment.textFormat.parse(nonsense.hint) : nonsense;
    demand(
      echo.kind === 'malformed',
      `The hint of the format ${name} is itself read as an action: ${short(nonsense.hint)}.`,
    );
  }
  return 'react and tools read back what they write';
}

/** The tools of all states that the plays come through, each once. */
async function toolsMet(environment: Environment, task: Task, plays: readonly Play[]): Promise<Tool[]> {
  const met = new Map<string, Tool>();
  for (const { actions } of plays) {
    const { first, traces } = await play(environment, task, actions);
    for (const tool of [first.opening.tools, ...traces.map(({ tools = [] }) => tools)].flat())
      met.set(tool.function.name, tool);
  }
  return [...met.values()];
}

function canonical(environment: Environment, action: Action): string {
  return environment.canonicalAction?.(action) ?? JSON.stringify(action);
}

function short(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
}

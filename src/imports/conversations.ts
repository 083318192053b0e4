/**
 * Trajectories as JSON lines: one conversation a line, in the form of OpenAI's chat messages, with its task and its reward.
 *
 *     {"task_id": "7", "reward": 0, "model": "gpt-9", "messages": [{"role": "user", …}, {"role": "assistant", …}, {"role": "tool", …}]}
 *
 * Each assistant message is a step, with tool calls or in the environment's text form; what follows it is its observation. What stands before the
 * first one is not read: the environment opens its tasks itself.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import type { AgentFormatName } from '../domain/action.ts';
import { holdsImage } from '../domain/images.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { CruxError } from '../errors.ts';
import { type Fault, faultLines, type InputFile, refuseFaulty } from './input-file.ts';
import { checkedAt, type LocatedJson, locatedJson } from './located-json.ts';
import type { RecordedStep, RecordedTrajectory } from './recorded-trajectories.ts';

const text = z.union(
  [
    z.string(),
    z
      .array(z.object({ type: z.literal('text'), text: z.string() }))
      .transform((parts) => parts.map((part) => part.text).join('')),
  ],
  { error: 'expected text, or a list of text parts' },
);

const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content: text }),
  z.object({ role: z.literal('tool'), content: text }),
  z.object({
    role: z.literal('assistant'),
    content: text.nullish(),
    /** 0 marks a message that another wrote, such as an example. */
    weight: z.number().optional(),
    tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })).nullish(),
    function_call: z.null({ error: 'the older form of a tool call is not read: write tool_calls' }).optional(),
  }),
]);

const id = z.union([z.string().min(1), z.number()], { error: 'expected a text or a number' }).transform(String);

const rowSchema = z.object({
  id: id.optional(),
  task_id: id,
  reward: z.union([z.number(), z.boolean()], { error: 'expected a number, true or false' }).transform(Number).nullish(),
  model: z.string().optional(),
  messages: z.array(message).min(1),
});

type Row = z.infer<typeof rowSchema>;
type Said = Row['messages'][number];

export type Conversations = {
  trajectories: RecordedTrajectory[];
  /** What was put right or left out, in lines with file and line number. */
  notes: string[];
};

/**
 * @param taskIds those of the environment; conversations on others are left out, and noted
 * @throws CruxError `User.Config` that names each fault with its line; `User.NotFound` if nothing is left
 */
export function readConversations(
  { path, text: content, notes }: InputFile,
  taskIds: ReadonlySet<string>,
): Conversations {
  const faults: Fault[] = [];
  const noted = [...notes];
  const trajectories: RecordedTrajectory[] = [];
  const lineOfId = new Map<string, number>();
  const lines = content.replace(/\r?\n$/, '').split('\n');
  for (const [index, written] of lines.entries()) {
    const line = index + 1;
    if (written.trim() === '') {
      noted.push({ line, what: 'a blank line is skipped' });
      continue;
    }
    const json = locatedJson(written, line);
    const row = json.faults.length > 0 ? null : readRow(json);
    faults.push(...json.faults);
    if (row === null) continue;
    const first = row.id === undefined ? undefined : lineOfId.get(row.id);
    if (first !== undefined) faults.push({ line, what: `the id ${row.id} is there twice (first in line ${first})` });
    else if (row.id !== undefined) lineOfId.set(row.id, line);
    const steps = stepsOf(row.messages, (what) => faults.push({ line, what }));
    if (!taskIds.has(row.task_id))
      noted.push({ line, what: `task ${row.task_id} is none of the environment's, and is left out` });
    trajectories.push({
      source: basename(path),
      taskId: row.task_id,
      model: row.model ?? 'recorded',
      format: formatOf(steps),
      steps,
      reward: row.reward ?? null,
    });
  }
  refuseFaulty(path, faults, 'Put these lines right. Each line is one JSON object with task_id, messages and reward.');
  if (!trajectories.some(({ taskId }) => taskIds.has(taskId))) {
    const known = [...taskIds].slice(0, 5).map((each) => `"${each}"`);
    throw new CruxError('User.NotFound', `${path} has no trajectory on a task of the environment.`, {
      remedy: `Its task_id must be one of the environment's tasks, such as ${known.join(', ')}.`,
    });
  }
  return { trajectories, notes: faultLines(path, noted) };
}

function readRow(json: LocatedJson): Row | null {
  const row = checkedAt(rowSchema, json.value, json);
  if (row === null && holdsImage(json.value))
    json.faults.push({ line: json.lineOf([]), what: 'it holds an image, and Crux reads and writes text only' });
  return row;
}

/** @param refuse of what cannot be a step */
function stepsOf(messages: readonly Said[], refuse: (what: string) => void): RecordedStep[] {
  const steps: RecordedStep[] = [];
  for (const [index, said] of messages.entries()) {
    const last = steps.at(-1);
    if (said.role !== 'assistant') {
      if (last) last.observation = last.observation === null ? said.content : `${last.observation}\n${said.content}`;
    } else if (said.weight !== 0) steps.push({ assistant: assistantOf(said, steps.length + 1), observation: null });
    else if (last) refuse(`messages.${index}: a message of weight 0 among the steps cannot be replayed`);
  }
  return steps;
}

/** Ids of calls are those that Crux gives: equal messages must be equal. */
function assistantOf(
  { content, tool_calls: calls }: Extract<Said, { role: 'assistant' }>,
  step: number,
): AssistantMessage {
  if (!calls?.length) return { role: 'assistant', content: content ?? '' };
  return {
    role: 'assistant',
    content: content || null,
    tool_calls: calls.map((call, index) => ({
      id: `call_${step}_${index}`,
      type: 'function',
      function: call.function,
    })),
  };
}

const formatOf = (steps: readonly RecordedStep[]): AgentFormatName =>
  steps.some(({ assistant }) => assistant.tool_calls) ? 'tools' : 'react';

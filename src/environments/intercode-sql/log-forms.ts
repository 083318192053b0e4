/**
 * The forms in which InterCode's logs record an episode. `react`: thoughts, and actions `execute[…]` and `submit`; the reward is that of the
 * submission. `multi-turn` and `single-turn`: bare statements of an agent that is told to try again until its reward is 1; every turn is graded.
 * `plan-and-solve`: the same, each turn after a step of the agent's plan. `human`: a person at InterCode's prompt, as its environment saves it.
 */
import { z } from 'zod';
import { rowsOf } from './observation-difference.ts';
import { listText } from './python-text.ts';

export type LogForm = 'react' | 'multi-turn' | 'single-turn' | 'plan-and-solve' | 'human';

const rewards = z.array(z.number());
const texts = z.array(z.string());

const turnsEpisode = z
  .object({
    environment: z.string().optional(),
    task_id: z.union([z.number(), z.string()]),
    turn_history: z.object({
      thoughts: texts.optional(),
      steps: texts.optional(),
      actions: texts,
      observations: texts,
      rewards,
    }),
    summary: z.object({ turns_max: z.number().nullish() }).optional(),
  })
  .superRefine(({ turn_history: { thoughts, actions, observations, rewards } }, { addIssue }) => {
    const miscounted = (name: string, count: number) =>
      addIssue({
        code: 'custom',
        path: ['turn_history', name],
        message: `${count} ${name} for ${actions.length} actions`,
      });
    // A turn that the model's provider blocked has no observation.
    const answered = actions.at(-1) === blockedAction ? actions.length - 1 : actions.length;
    if (observations.length !== actions.length && observations.length !== answered)
      miscounted('observations', observations.length);
    if (rewards.length < actions.length) miscounted('rewards', rewards.length);
    if (thoughts && thoughts.length !== actions.length) miscounted('thoughts', thoughts.length);
  });

const savedEpisode = z.object({
  environment: z.string().optional(),
  query_idx: z.union([z.number(), z.string()]),
  reward: z.number().nullish(),
  trajectory: z.array(z.object({ action: z.string(), observation: z.string() })),
});

/** What the recorder writes in the place of an action that the model's provider refused to give. */
const blockedAction = 'blocked';

export type Turn = {
  /** Empty if the form has none. */
  thought: string;
  /** As the log writes it. */
  action: string;
  observation: string;
  /** Null if the turn was not graded. */
  reward: number | null;
};

export type Episode = {
  form: LogForm;
  /** Name of InterCode's environment; null if the log does not say. */
  environment: string | null;
  taskId: string;
  turns: Turn[];
  /** Whether the model's provider ended it. */
  isBlocked: boolean;
};

/** Reads one episode by the form that its fields show. */
export const episodeSchema: z.ZodType<Episode> = z.unknown().transform((value, { addIssue }) => {
  const isSaved = typeof value === 'object' && value !== null && 'trajectory' in value;
  const read = isSaved
    ? savedEpisode.transform(fromSaved).safeParse(value)
    : turnsEpisode.transform(fromTurns).safeParse(value);
  if (read.success) return read.data;
  for (const issue of read.error.issues) addIssue({ code: 'custom', path: issue.path, message: issue.message });
  return z.NEVER;
});

function fromTurns({ environment, task_id, turn_history: turns, summary }: z.infer<typeof turnsEpisode>): Episode {
  const { thoughts, steps, observations } = turns;
  const isSingle = summary?.turns_max === 1;
  const form = thoughts ? 'react' : steps ? 'plan-and-solve' : isSingle ? 'single-turn' : 'multi-turn';
  return {
    form,
    environment: environment ?? null,
    taskId: String(task_id),
    turns: observations.map((observation, index) => ({
      thought: (thoughts ?? steps)?.[index] ?? '',
      action: turns.actions[index]!,
      observation,
      reward: turns.rewards[index]!,
    })),
    isBlocked: observations.length < turns.actions.length,
  };
}

function fromSaved({ environment, query_idx, reward, trajectory }: z.infer<typeof savedEpisode>): Episode {
  const last = trajectory.length - 1;
  return {
    form: 'human',
    environment: environment ?? null,
    taskId: String(query_idx),
    turns: trajectory.map(({ action, observation }, index) => ({
      thought: '',
      action,
      observation: listed(observation),
      reward: index === last ? (reward ?? null) : null,
    })),
    isBlocked: false,
  };
}

/** Rows as other logs print them: InterCode's environment saves them one after the other, without brackets. */
function listed(observation: string): string {
  if (observation !== '' && !observation.startsWith('(')) return observation;
  return listText(rowsOf(`[${observation}]`) ?? []);
}

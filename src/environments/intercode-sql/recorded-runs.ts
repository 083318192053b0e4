/** The logs of InterCode's agents: which files there are, and their episodes as steps of this environment. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Action } from '../../domain/action.ts';
import { holdsImage } from '../../domain/images.ts';
import type { AssistantMessage } from '../../domain/message.ts';
import { CruxError } from '../../errors.ts';
import { type Fault, faultLines, readInputFile } from '../../imports/input-file.ts';
import { checkedAt, type LocatedJson, locatedJson } from '../../imports/located-json.ts';
import { type Episode, episodeSchema, type LogForm, type Turn } from './log-forms.ts';
import { sqlTextFormat } from './text-format.ts';

export type RecordedStep = {
  /** The turn in this environment's ReAct text; a malformed one as it was written. */
  assistant: AssistantMessage;
  thought: string;
  /** Null for a malformed action. */
  action: Action | null;
  /** What MySQL answered, perhaps cut by the recorder. */
  observation: string;
};

export type RecordedRun = {
  /** Its log, for messages. */
  source: string;
  form: LogForm;
  taskId: string;
  model: string;
  /** The last one submits or gives up, unless there are none. */
  steps: RecordedStep[];
  /** Reward of the submitted result; null if the log does not say it. */
  reward: number | null;
};

export type RecordedLogs = {
  runs: RecordedRun[];
  /** Files that are left out whole: one line for each fault, with file and line number. */
  leftOut: string[];
  /** What was put right in reading the others, in lines of the same form. */
  notes: string[];
  /** Episodes that the model's provider ended: they say nothing about the agent. */
  blocked: number;
};

/**
 * Reads logs. One that cannot be taken whole is left out whole.
 * @param places files, and folders that are searched for `*.json` with all folders in them
 * @param taskIds those of the benchmark; null if any may be named
 * @throws CruxError `User.NotFound` for a place that holds no log
 */
export function readRecordedRuns(places: readonly string[], taskIds: ReadonlySet<string> | null = null): RecordedLogs {
  const logs: RecordedLogs = { runs: [], leftOut: [], notes: [], blocked: 0 };
  for (const path of places.flatMap(logFiles)) {
    try {
      const file = readInputFile(path);
      const { episodes, faults } = episodesOf(file.text, taskIds);
      if (faults.length > 0) {
        logs.leftOut.push(...faultLines(path, faults));
        continue;
      }
      logs.notes.push(...faultLines(path, file.notes));
      const model = modelOf(path);
      for (const episode of episodes) {
        if (episode.isBlocked) logs.blocked++;
        else logs.runs.push(toRun(episode, basename(path), model));
      }
    } catch (error) {
      if (!(error instanceof CruxError)) throw error;
      logs.leftOut.push(`${path}:1: ${error.message}`);
    }
  }
  return logs;
}

function logFiles(place: string): string[] {
  const found = statSync(place, { throwIfNoEntry: false });
  if (found?.isFile()) return [place];
  const names = found?.isDirectory() ? readdirSync(place, { recursive: true, encoding: 'utf8' }) : [];
  const files = names.filter((name) => name.endsWith('.json')).sort();
  if (files.length > 0) return files.map((name) => join(place, name));
  throw new CruxError('User.NotFound', `There are no recorded runs in ${place}.`, {
    remedy: 'Name a folder that holds InterCode logs (*.json), or one log.',
  });
}

const objectSchema = z.record(z.string(), z.unknown());

/** A log holds its episodes by name, perhaps under `logs` (plan and solve), or is one episode (a saved session). */
function episodesOf(text: string, taskIds: ReadonlySet<string> | null): { episodes: Episode[]; faults: Fault[] } {
  const file = locatedJson(text);
  const { faults } = file;
  if (faults.length > 0) return { episodes: [], faults };
  const log = checkedAt(objectSchema, file.value, file);
  if (log === null) return { episodes: [], faults };
  if (holdsImage(log)) faults.push({ line: 1, what: 'it holds an image, and Crux reads and writes text only' });
  if ('trajectory' in log) return { episodes: readEpisode(log, [], file, taskIds), faults };
  const under = 'logs' in log ? ['logs'] : [];
  const named = under.length > 0 ? checkedAt(objectSchema, log.logs, file, under) : log;
  const episodes = Object.entries(named ?? {}).flatMap(([name, episode]) =>
    readEpisode(episode, [...under, name], file, taskIds),
  );
  return { episodes, faults };
}

function readEpisode(
  value: unknown,
  path: string[],
  file: LocatedJson,
  taskIds: ReadonlySet<string> | null,
): Episode[] {
  const episode = checkedAt(episodeSchema, value, file, path);
  if (episode === null) return [];
  const refuse = (what: string) => file.faults.push({ line: file.lineOf(path), what });
  const { environment, taskId } = episode;
  if (environment !== null && environment !== interCodeName)
    refuse(`an episode of ${environment}, not of ${interCodeName}`);
  else if (taskIds !== null && !taskIds.has(taskId))
    refuse(`a run on task ${taskId}, which the benchmark does not have`);
  return [episode];
}

const interCodeName = 'ic_sql';

/** The model's name in the names that InterCode gives its logs; without one, the name of the file. */
function modelOf(path: string): string {
  const name = basename(path, '.json');
  return /^(?:ic_)?sql_multiturn_(.+?)[-_]\d+_turns/.exec(name)?.[1] ?? name.replace(/-react.*$/, '');
}

function toRun({ form, taskId, turns }: Episode, source: string, model: string): RecordedRun {
  const steps = turns.map((turn) => toStep(turn, form));
  const last = steps.at(-1);
  const isSubmitted = last?.action?.tool === 'submit';
  if (last && !isSubmitted && last.action?.tool !== 'skip') steps.push(impliedSubmission());
  return { source, form, taskId, model, steps, reward: gradedReward(form, turns, steps) };
}

/** Logs of bare statements grade each of them, as if it were submitted. The run ends with what it executed last. */
function gradedReward(form: LogForm, turns: readonly Turn[], steps: readonly RecordedStep[]): number | null {
  const tool = form === 'react' ? 'submit' : 'execute_sql';
  const graded = turns.findLastIndex((_, index) => steps[index]!.action?.tool === tool);
  if (form === 'human') return turns.at(-1)?.reward ?? null;
  return turns[graded]?.reward ?? null;
}

function impliedSubmission(): RecordedStep {
  const action: Action = { tool: 'submit', arguments: {} };
  return { assistant: written(sqlTextFormat.render('', action)), thought: '', action, observation: '' };
}

function toStep({ thought, action: text, observation }: Turn, form: LogForm): RecordedStep {
  const action = recordedAction(text, observation, form);
  if (action !== null)
    return { assistant: written(sqlTextFormat.render(thought, action)), thought, action, observation };
  const malformed = `Thought: ${thought}\nAction: ${text}`;
  // The recorder read no action in it, so none may be read here.
  const isRead = sqlTextFormat.parse(malformed).kind === 'action';
  const content = isRead ? `Thought: ${thought}\n${text.replaceAll('Action:', 'Action -')}` : malformed;
  return { assistant: written(content), thought, action, observation };
}

const written = (content: string): AssistantMessage => ({ role: 'assistant', content });

/**
 * `execute[SQL]` up to the last bracket, `submit`, `skip`, or a bare statement that the database answered. Null for anything else: a call that
 * was cut off, or words to which the recorder answered that they hold no SQL.
 */
function recordedAction(text: string, observation: string, form: LogForm): Action | null {
  const call = form === 'react' ? /execute\[([\s\S]*)\]/ : /^\s*execute\[([\s\S]*)\]\s*$/;
  const query = call.exec(text)?.[1];
  if (query !== undefined) return { tool: 'execute_sql', arguments: { query } };
  const word = text.trim();
  if (word === 'submit' || word === 'skip') return { tool: word, arguments: {} };
  return isAnswer(observation) && word !== '' ? { tool: 'execute_sql', arguments: { query: text } } : null;
}

/** Whether a database gave an observation, rather than the recorder. */
function isAnswer(observation: string): boolean {
  if (observation === 'None' || observation.startsWith('[')) return true;
  return observation.startsWith('Error executing query:') && !observation.includes('Your last `execute` action');
}

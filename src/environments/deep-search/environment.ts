/**
 * Deep search: answer a question by searching for texts and reading them. The CSO paper (arXiv 2602.03412) runs such questions with an agent that
 * writes Python over a search tool, a web agent and a file agent; this one has four tools, and is simpler.
 */
import type { Action } from '../../domain/action.ts';
import type { Tool } from '../../domain/message.ts';
import type { Task } from '../../domain/task.ts';
import { CruxError } from '../../errors.ts';
import type { AskRequest, Environment } from '../contract.ts';
import { defineEnvironment } from '../define.ts';
import { openDatabase, readDataset, readQuestions } from './dataset.ts';
import { LiveLibrary, mostCostOfSearch, sharedName } from './live/live-library.ts';
import { type LiveOptions, liveSettings } from './live/options.ts';
import { LocalLibrary } from './local-library.ts';
import type { Question } from './question.ts';
import { asksJudge, scorerVersion } from './scorers/scorer.ts';
import { simulatedVerdict } from './scorers/xbench.ts';
import { searchScript } from './script.ts';
import { SearchSession } from './session.ts';
import { canonicalSearchAction, tools } from './tools.ts';

export type DeepSearchOptions = {
  /** Dataset folder, made by `crux import deep-search`. */
  data: string;
  /** Name of the environment. Default `deep-search`. */
  name?: string;
  /** Questions are answered on the web. Needed for a dataset without a corpus. */
  live?: LiveOptions;
  /** Default 15: a search and a text for each of up to four hops, some detours, and the answer. */
  stepLimit?: number;
};

/** Part of the version: change it whenever the same actions may give other observations or rewards. */
const ownVersion = '2';

const system = `You answer a question by searching for texts and reading them.
Search with a few words, open the results that may help, and follow what you learn with further searches; "find" shows where words stand in the open text. When you know the answer, give it with "answer": this ends the task. Answer with the bare name, number or short phrase, without a sentence around it; several things are separated by commas.`;

/** Says nothing about a single question. */
const hints = `A question mostly asks several things one after another: find out the first, and search for the next with what you have learned, not with the words of the whole question.
Titles can mislead: open a text before you trust it, and read on if its snippet does not say what you need. Answer only when a text that you have read says it, and give the answer as that text writes it.`;

const longestTitle = 80;

/**
 * @throws CruxError `User.NotFound` when the dataset is missing or broken, `User.Config` for questions without a corpus
 */
export function deepSearch(options: DeepSearchOptions): Environment & { tools: Tool[] } {
  const { stepLimit = 15 } = options;
  const dataset = readDataset(options.data);
  const live = options.live && liveSettings(options.live);
  if (dataset.passages === 0 && !live)
    throw new CruxError('User.Config', `The dataset ${dataset.name} at ${options.data} has questions and no corpus.`, {
      remedy: 'Set `live`, to answer them on the web.',
    });
  const database = openDatabase(options.data);
  const web = live && new LiveLibrary(live);
  const library = web ?? new LocalLibrary(database);
  const isJudged = asksJudge(dataset.scorer);
  const maxStepCost = live ? mostCostOfSearch(live) : null;
  const isPriced = maxStepCost !== null;
  let questions: Map<string, Question> | null = null;
  const all = () => (questions ??= readQuestions(database));
  const questionOf = ({ id }: Pick<Task, 'id'>): Question => {
    const question = all().get(id);
    if (question) return question;
    throw new CruxError('User.NotFound', `The dataset ${dataset.name} at ${options.data} has no question ${id}.`);
  };

  return defineEnvironment({
    name: options.name ?? 'deep-search',
    version: `${ownVersion}-${dataset.digest}${live ? `-live-${live.name}` : ''}`,
    stepLimit,
    // A session is the text that it has open, and all share the corpus.
    capabilities: { maxSessions: 10_000, replay: live || isJudged ? 'recorded' : 'compare' },
    successAt: 1,
    tools,
    canonicalAction: canonicalSearchAction,
    ...(dataset.canary !== null && { sealed: dataset.canary }),
    verifier: {
      deepSearch: ownVersion,
      corpus: live?.name ?? 'local',
      dataset: dataset.name,
      digest: dataset.digest,
      ...scorerVersion(dataset.scorer),
    },
    tasks: async () => [...all().values()].map(taskOf),
    briefing: async (task) => ({ system, user: `Question: ${questionOf(task).question}` }),
    open: async (task) =>
      new SearchSession({
        question: questionOf(task),
        library,
        scorer: dataset.scorer,
        isLive: live !== undefined,
        isPriced,
      }),
    gold: async (task) => goldOf(questionOf(task)),
    hints: async () => hints,
    script: async (task) => (live ? null : searchScript(questionOf(task), library, stepLimit)),
    ...(live && { shared: (action: Action) => sharedName(live.name, action) }),
    ...(maxStepCost !== null && { maxStepCost }),
    ...(isJudged && {
      asks: ['grade'] as const,
      simulatedReply: ({ messages }: AskRequest) => simulatedVerdict(messages.at(-1)?.content ?? ''),
    }),
    async close() {
      if (database.isOpen) database.close();
      await web?.close();
    },
  });
}

function taskOf({ id, split, group, question, difficulty, canary }: Question): Task {
  const isLong = question.length > longestTitle;
  const title = canary !== null ? id : isLong ? `${question.slice(0, longestTitle - 1)}…` : question;
  return { id, split, group, title, difficulty };
}

/** Questions that ask for a choice name their answer themselves: there it gives nothing away. */
function goldOf({ question, answers: [gold] }: Question): string | null {
  return question.includes(gold!) ? null : gold!;
}

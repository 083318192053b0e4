/** Tests whether an environment keeps its contract: what `crux check-env` runs. Each check stands in `check/`. */
import type { Task } from '../domain/task.ts';
import { errorText } from '../errors.ts';
import type { StartApart } from './check/apart.ts';
import { checkCosts } from './check/costs.ts';
import { checkFormats } from './check/formats.ts';
import { checkLeaks, checkOpenings } from './check/openings.ts';
import { checkOutcomes } from './check/outcomes.ts';
import { play } from './check/played.ts';
import { type Play, playsOf } from './check/plays.ts';
import { checkQuestions } from './check/questions.ts';
import { checkRecalls } from './check/recall.ts';
import { checkOtherProcess, checkReplays, checkTwoSessions } from './check/replays.ts';
import { checkAudit, checkScripts } from './check/scripts.ts';
import { checkStateHash, checkTools } from './check/states.ts';
import { type StressOptions, stressEnvironment } from './check/stress.ts';
import { NotChecked, requireReplay, type Studied } from './check/studied.ts';
import { checkExamples, checkTasks, spread } from './check/tasks.ts';
import type { Environment } from './contract.ts';
import { NoSimulatedReply } from './session-context.ts';

export type CheckResult = {
  check: string;
  /** Null if it could not be checked, or does not apply: the detail says why. */
  ok: boolean | null;
  detail: string;
};

export type CheckOptions = {
  /** What to play in a task. Default: its script, walks over what observations offered, and each tool once. */
  plays?: (task: Task) => Promise<Play[]>;
  /** Starts the environment in a process of its own; without it nothing is compared there. */
  startApart?: StartApart;
  /** Plays under stalls and kills too. */
  stress?: StressOptions;
};

/** Runs a few tasks of an environment in every way that Crux relies on. */
export async function checkEnvironment(
  environment: Environment,
  taskCount: number,
  { plays: playsFor = (task) => playsOf(environment, task), startApart, stress }: CheckOptions = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const check = async (name: string, work: () => string | Promise<string>) => {
    try {
      results.push({ check: name, ok: true, detail: await work() });
    } catch (error) {
      const isOpen = error instanceof NotChecked || error instanceof NoSimulatedReply;
      results.push({
        check: name,
        ok: isOpen ? null : false,
        detail: `${isOpen ? 'not checked: ' : ''}${errorText(error)}`,
      });
    }
  };

  let all: Task[] = [];
  await check('tasks', async () => {
    all = await environment.tasks();
    return checkTasks(all, await environment.tasks());
  });
  await check('examples in the prompts', () => checkExamples(environment, all));

  const plays = new Map<string, Play[]>();
  const studied: Studied = {
    environment,
    tasks: spread(all, taskCount),
    playsIn(task) {
      const own = plays.get(task.id);
      if (!own) throw new NotChecked('nothing could be played');
      return own;
    },
  };
  const study = (name: string, work: (studied: Studied) => Promise<string>) =>
    check(name, () => {
      if (studied.tasks.length === 0) throw new NotChecked('there is no task to try');
      return work(studied);
    });
  await study('opening messages', checkOpenings);
  await study('no leak of the gold answer', checkLeaks);
  await study('plays', async ({ tasks }) => {
    for (const task of tasks) plays.set(task.id, await playsFor(task));
    return playsText([...plays.values()].flat(), tasks.length);
  });
  await study('determinism and replay', checkReplays);
  if (environment.capabilities.replay === 'recorded') await study('recorded steps', checkRecalls);
  await study('scripts solve their tasks', checkScripts);
  await study('audit', checkAudit);
  await study('state hash', checkStateHash);
  await study('tools', checkTools);
  await study('outcome at a limit', checkOutcomes);
  await study('costs', checkCosts);
  await study('questions', checkQuestions);
  await study('another process', () => checkOtherProcess(studied, startApart));
  await study('two sessions do not disturb each other', checkTwoSessions);
  await study('action formats', checkFormats);
  if (stress) await study('stalls and kills', () => stressed(studied, startApart, stress));
  await study('time', timeOfSteps);
  return results;
}

function playsText(plays: readonly Play[], tasks: number): string {
  const steps = plays.reduce((sum, { actions }) => sum + actions.length, 0);
  if (steps === 0) throw new NotChecked('the environment has no tool');
  const scripts = plays.filter(({ name }) => name === 'script').length;
  return `${steps} actions in ${tasks} tasks: ${scripts === 0 ? 'no script' : `${scripts} scripts`}, walks over what observations offered, each tool once`;
}

async function stressed(
  { environment, tasks, playsIn }: Studied,
  startApart: StartApart | undefined,
  stress: StressOptions,
): Promise<string> {
  if (!startApart) throw new NotChecked('no other process was started');
  requireReplay(environment);
  const played = tasks.slice(0, 2).map((task) => ({ taskId: task.id, actions: playsIn(task)[0]!.actions }));
  return stressEnvironment(startApart, played, stress);
}

async function timeOfSteps({ environment, tasks, playsIn }: Studied): Promise<string> {
  const task = tasks[0]!;
  const { actions } = playsIn(task)[0]!;
  const startedAt = performance.now();
  const { traces } = await play(environment, task, actions);
  const eachMs = (performance.now() - startedAt) / Math.max(1, traces.length);
  return `${eachMs.toFixed(1)} ms a step with opening`;
}

/** Whether an existing run is the requested one. */
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import { differences, differenceText, isObject } from '../domain/differences.ts';
import { askedRoles, isEvaluation, type RunConfig, type RunModels } from '../domain/run/run-config.ts';
import { withWireSettings } from '../domain/run/wire-settings.ts';
import { CruxError } from '../errors.ts';
import type { NewRunTask, Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

/** The request for a run that may already exist. `tasks`: null if they were not chosen again. */
type Wanted = { config: RunConfig; seed: number; reuse: string[]; tasks: NewRunTask[] | null };

/** @throws CruxError `User.Config` that names every setting in which the existing run differs, with both values */
export async function sameRun(store: Store, stored: Run, { config, seed, reuse, tasks }: Wanted): Promise<Run> {
  // Settings of the wire may differ: a run that a server refused continues in the form that the server takes.
  const known = { ...stored, config: withWireSettings(stored.config, config) };
  // Leaked groups are found when a run is made, and stay with it.
  const leaked = isEvaluation(known.config) ? { leaked: known.config.leaked } : {};
  // The prompts that it began with are part of what was paid for, and so is what its transitions belong to.
  const { prompts = config.prompts, transitions } = known.config;
  const models = comparedModels(known.config, config);
  const own = JSON.parse(JSON.stringify({ ...config, ...leaked, prompts, transitions, models })) as Json;
  const there = known.config as unknown as Json;
  const inConfig = differences(there, sharedMembers(own, there)).filter(({ path }) => !path.endsWith('.trainedOn'));
  const all = [
    ...inConfig,
    // Absent means unknown: what the user says now was not said when the run was made.
    ...differences(lineages(known.config), lineages({ models }), 'trainedOn'),
    ...differences(known.seed, seed, 'seed'),
    ...differences(known.reuse, reuse, 'reuse'),
  ].map(differenceText);
  if (tasks !== null) all.push(...taskDifferences(await store.runs.tasks(known.id), tasks));
  if (all.length === 0) {
    if (known.config !== stored.config) await store.runs.reshape(known.id, known.config);
    return known;
  }
  throw new CruxError('User.Config', `The run "${known.id}" exists with other settings: ${all.join('; ')}.`, {
    remedy: 'Give the new run another --run-id, or start it with the settings that it has.',
  });
}

const tasksNamed = 5;

function taskDifferences(known: NewRunTask[], wanted: NewRunTask[]): string[] {
  const names = (tasks: NewRunTask[]) =>
    tasks.map(({ taskId, sample }) => `${taskId}${sample === 0 ? '' : ` (sample ${sample + 1})`}`);
  const [there, now] = [names(known), names(wanted)];
  if (canonicalJson(there) === canonicalJson(now)) return [];
  const only = (of: string[], others: string[], where: string) => {
    const known = new Set(others);
    const own = of.filter((name) => !known.has(name));
    const more = own.length > tasksNamed ? ` and ${own.length - tasksNamed} more` : '';
    return own.length === 0 ? [] : [`only ${where}: ${own.slice(0, tasksNamed).join(', ')}${more}`];
  };
  const which = [...only(there, now, 'there'), ...only(now, there, 'now')].join(', ') || 'in another order';
  return [`tasks are ${there.length} there and ${now.length} now (${which})`];
}

/** Members whose names the user gives: a new name in them is another setting, not a member of a later version. */
const usersOwn: ReadonlySet<string> = new Set(['extraBody', 'set']);

/** Drops members that a run of an earlier version could not have: it continues as it was started. */
function sharedMembers(wanted: Json, known: Json): Json {
  if (!isObject(wanted) || !isObject(known)) return wanted;
  const shared = Object.entries(wanted).filter(([name]) => name in known);
  return Object.fromEntries(
    shared.map(([name, value]) => [name, usersOwn.has(name) ? value : sharedMembers(value, known[name]!)]),
  );
}

/** The wanted models, but for those that the run does not ask: the configuration may leave them out, or name them, since the run began. */
function comparedModels(known: RunConfig, wanted: RunConfig): RunModels {
  const asked = askedRoles(known);
  const isFree = (role: string) => (role === 'expert' || role === 'prm') && !asked.includes(role);
  const kept = Object.entries(known.models).filter(([role]) => isFree(role) && !(role in wanted.models));
  const given = Object.entries(wanted.models).filter(([role]) => !isFree(role) || role in known.models);
  return Object.fromEntries([...given, ...kept]) as RunModels;
}

/** What the user said about each model; null if nothing. */
function lineages({ models }: Pick<RunConfig, 'models'>): Json {
  return Object.fromEntries(Object.entries(models).map(([role, { trainedOn = null }]) => [role, trainedOn]));
}

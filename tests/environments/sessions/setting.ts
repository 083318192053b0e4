import { observationText } from '../../../src/domain/observation.ts';
import { agentFormat } from '../../../src/environments/formats/agent-format.ts';
import { EnvironmentRegistry } from '../../../src/environments/registry.ts';
import { SessionCache } from '../../../src/environments/sessions/session-cache.ts';
import type { Store } from '../../../src/store/store.ts';
import { positionAfter, type State } from '../../../src/store/tree.ts';
import { type DoorsForTests, type DoorsOptions, doors, go, goText } from '../../activities/doors.ts';
import { temporaryStore } from '../../helpers/store.ts';

export const never = new AbortController().signal;

export type Setting = { store: Store; seen: DoorsForTests; cache: SessionCache; root: State };

/** A cache over an environment of doors. @param given store to use instead of a new one */
export async function setting(options: DoorsOptions = {}, given?: Store): Promise<Setting> {
  const store = given ?? (await temporaryStore());
  const seen = doors(options);
  const cache = new SessionCache(store.tree, new EnvironmentRegistry([seen.environment]));
  return { store, seen, cache, root: await rootOf(store, seen) };
}

export function rootOf(store: Store, { environment }: DoorsForTests, taskId = 'task-1'): Promise<State> {
  const messages = [{ role: 'user' as const, content: `The doors of ${taskId}.` }];
  return store.tree.addRoot({
    environment: environment.name,
    version: environment.version,
    taskId,
    messages,
    tools: [],
    format: 'react',
  });
}

/** Takes a step and gives the state that it leads to. */
export async function take(
  { store, cache, seen }: Setting,
  parent: State,
  door: string,
  thought?: string,
): Promise<State> {
  const transition = await cache.step(parent, go(door), never);
  const assistant = { role: 'assistant' as const, content: goText(door, thought) };
  const observation = agentFormat(seen.environment, 'react').observation(assistant, [
    observationText(transition.observation),
  ]);
  return store.tree.addStep({ parent, assistant, observation, reached: positionAfter(parent, go(door), transition) });
}

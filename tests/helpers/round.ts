/** An improvement of the maze whose activities of a round are run one by one, without a workflow and without any model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ActivityContext } from '../../src/activities/runtime/context.ts';
import { type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import { silent } from '../../src/observe/log.ts';
import type { Store } from '../../src/store/store.ts';
import { labConfig } from './lab-config.ts';

/** @param changes of `improve`, whose trainer is never started by default */
export function roundConfig(home: string, changes: object = {}) {
  const base = join(home, 'base');
  mkdirSync(base, { recursive: true });
  writeFileSync(join(base, 'weights'), 'base');
  const { models, ...others } = labConfig(home, 'http://127.0.0.1:1');
  const policy = { ...models.policy, trainedOn: ['none'] };
  const server = { kind: 'command', start: ['serve', '{model}', '{name}', '{port}'] };
  const trainer = { kind: 'command', run: ['train'] };
  const improve = { base, trainer, server, ...changes } as NonNullable<CruxConfigInput['improve']>;
  return checkConfig({ ...others, models: { ...models, policy }, improve });
}

/** What `trainingActivities` reads of a worker. */
export function roundContext(store: Store, home: string, config: ActivityContext['config']): ActivityContext {
  const { signal: stopping } = new AbortController();
  return { store, home, config, log: silent, stopping } as unknown as ActivityContext;
}

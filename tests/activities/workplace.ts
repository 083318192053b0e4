import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { agentActivities } from '../../src/activities/index.ts';
import type { ActivityContext } from '../../src/activities/runtime/context.ts';
import type { CsoOptions } from '../../src/domain/methods/index.ts';
import { observationText } from '../../src/domain/observation.ts';
import { csoOptionsOf } from '../../src/domain/run/run-config.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { Gateway } from '../../src/models/gateway.ts';
import { silent } from '../../src/observe/log.ts';
import type { Run } from '../../src/store/runs.ts';
import type { Store } from '../../src/store/store.ts';
import { positionAfter, type State } from '../../src/store/tree.ts';
import { type ModelEndpoint, type Reply, startModelEndpoint } from '../helpers/model-endpoint.ts';
import { addRun, answer, runConfig, temporaryStore } from '../helpers/store.ts';
import { type DoorsForTests, type DoorsOptions, doors, go, goText } from './doors.ts';

/** What the models say. A reply of text is a message's content. */
export type Models = {
  /** @param room the last message of the conversation @param number how often the policy was asked before */
  policy?: (room: string, number: number) => string | Reply;
  expert?: (number: number, sample: { seed: number }) => string | Reply;
  /** @param door that the judged action takes; null for a malformed one */
  prm?: (door: string | null, number: number) => number | string | Reply;
};

export type Workplace = {
  store: Store;
  endpoint: ModelEndpoint;
  context: ActivityContext;
  activities: ReturnType<typeof agentActivities>;
  seen: DoorsForTests;
  run: Run;
  stopping: AbortController;
  /** Runs an activity as Temporal would. */
  perform<Input, Output>(activity: (input: Input) => Promise<Output>, input: Input): Promise<Output>;
  /** Bodies of the requests to one model. */
  asked(model: 'test-model' | 'test-expert' | 'test-prm'): ModelEndpoint['requests'];
};

export type WorkplaceOptions = {
  models?: Models;
  doors?: DoorsOptions;
  options?: Partial<Omit<CsoOptions, 'verification'>> & { verification?: Partial<CsoOptions['verification']> };
  run?: Parameters<typeof addRun>[1];
  maxFaults?: number;
  logprobs?: boolean;
  /** Default: activities never hand their work over. */
  yieldAfterMs?: number;
};

/**
 * An activity's surroundings that log nothing: the failures of these tests are wanted.
 * @param statusOf of any workflow; default: none ends but by what the store says
 */
export function quietEnvironment(
  info: Partial<Info> = {},
  statusOf: () => Promise<string> = async () => 'RUNNING',
): MockActivityEnvironment {
  // There is no campaign to be told that its run is blocked.
  const handle = { signal: async () => {}, describe: async () => ({ status: { name: await statusOf() } }) };
  const client = {
    workflow: { getHandle: () => handle },
    withAbortSignal: <Result>(_signal: AbortSignal, work: () => Result) => work(),
  } as unknown as Client;
  return new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR', () => {}), client });
}

/** A worker's activities with a store, an environment of doors and scripted models. */
export async function workplace({ models = {}, options = {}, ...more }: WorkplaceOptions = {}): Promise<Workplace> {
  const store = await temporaryStore();
  const seen = doors(more.doors);
  const endpoint = await startModelEndpoint(scriptOf(models));
  const environments = new EnvironmentRegistry([seen.environment]);
  const stopping = new AbortController();
  const endpoints = {
    models: {
      baseUrl: endpoint.url,
      apiKeyEnv: null,
      keyHeader: 'authorization' as const,
      provider: null,
      requestsPerMinute: null,
      tokensPerMinute: null,
      concurrency: 50,
      timeoutMs: 5_000,
      maxFaults: more.maxFaults ?? 3,
      logprobs: more.logprobs ?? false,
    },
  };
  const context: ActivityContext = {
    store,
    config: undefined as never,
    environments,
    sessions: new SessionCache(store.tree, environments),
    home: '/nonexistent',
    log: silent,
    holderQueue: null,
    gateway: new Gateway(store, endpoints),
    stopping: stopping.signal,
    closing: stopping.signal,
    yieldAfterMs: more.yieldAfterMs ?? Number.POSITIVE_INFINITY,
  };
  const defaults = csoOptionsOf(runConfig());
  const verification = { ...defaults.verification, ...options.verification };
  const run = await addRun(store, {
    ...more.run,
    config: { ...more.run?.config, options: { ...defaults, ...options, verification } },
  });
  return {
    store,
    endpoint,
    context,
    activities: agentActivities(context),
    seen,
    run,
    stopping,
    perform: (activity, input) => quietEnvironment().run(activity, input),
    asked: (model) => endpoint.requests.filter(({ body }) => body.model === model),
  };
}

function scriptOf(models: Models) {
  const asked: { [model: string]: number } = {};
  return ({ body }: ModelEndpoint['requests'][number]): Reply => {
    const number = asked[body.model] ?? 0;
    asked[body.model] = number + 1;
    const last = body.messages.at(-1)!.content ?? '';
    switch (body.model) {
      case 'test-model':
        return replyOf(models.policy?.(last, number));
      case 'test-expert':
        return replyOf(models.expert?.(number, { seed: body.seed ?? 0 }));
      default: {
        const judged = /<action>\n([\s\S]*)\n<\/action>/.exec(last)?.[1] ?? '';
        const door = /\\"door\\":\\"([^\\]*)\\"/.exec(judged)?.[1] ?? null;
        const score = models.prm?.(door, number);
        return replyOf(typeof score === 'number' ? JSON.stringify({ score, reason: 'So it seems.' }) : score);
      }
    }
  };
}

function replyOf(said: string | Reply | undefined): Reply {
  if (said === undefined) return { status: 418, body: '{"error":{"message":"This test expects no such call."}}' };
  return typeof said === 'string' ? { content: said } : said;
}

/**
 * Records a trajectory of the policy by the activities themselves, its answers journaled beforehand.
 * @param messages what the policy says, or the doors that it takes
 * @returns the id of the trajectory, and its states from the first on
 */
export async function explored(
  place: Workplace,
  said: string[],
  position = 0,
): Promise<{ id: string; states: State[] }> {
  const { activities, perform, store, run } = place;
  const opened = await perform(activities.openTask, { runId: run.id, position });
  const states = [await store.tree.state(opened.rootId)];
  let last: { done: boolean; reward: number | null; success: boolean | null } = {
    done: false,
    reward: null,
    success: null,
  };
  for (const [index, text] of said.entries()) {
    const key = `explored-${position}-${index}`;
    const content = text.includes(' ') ? text : goText(text);
    await store.journal.write(run.id, answer({ key, message: { role: 'assistant', content } }));
    const step = await perform(activities.environmentStep, {
      runId: run.id,
      nodeId: states.at(-1)!.id,
      answerKey: key,
    });
    states.push(await store.tree.state(step.nodeId));
    last = step;
  }
  const { trajectoryId: id } = await perform(activities.recordTrajectory, {
    runId: run.id,
    position,
    leafId: states.at(-1)!.id,
    ending: last.done ? 'submitted' : 'step-limit',
    reward: last.reward ?? 0,
    success: last.success ?? false,
    fault: null,
  });
  return { id, states };
}

/** Records what the environment gives behind a door of a state. */
export async function look({ context }: Workplace, state: State, door: string): Promise<State> {
  const transition = await context.sessions.step(state, go(door), new AbortController().signal);
  const assistant = { role: 'assistant' as const, content: goText(door) };
  const observation = agentFormat(context.environments.get('doors'), 'react').observation(assistant, [
    observationText(transition.observation),
  ]);
  return context.store.tree.addStep({
    parent: state,
    assistant,
    observation,
    reached: positionAfter(state, go(door), transition),
  });
}

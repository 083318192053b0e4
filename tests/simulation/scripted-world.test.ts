// Layer: simulated models made of an environment's scripts, against that environment, in process.

import { describe, expect, test } from 'vitest';
import { type Action, actionsOf as parsedActions } from '../../src/domain/action.ts';
import type { AssistantMessage, Message } from '../../src/domain/message.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { readOpening } from '../../src/environments/opening.ts';
import { answer } from '../../src/simulation/answer.ts';
import { createDice } from '../../src/simulation/random.ts';
import { type ScriptedWorld, scriptedWorld } from '../../src/simulation/scripted-world.ts';
import { halls } from './halls.ts';
import { play } from './play.ts';
import { reach } from './reach.ts';
import { scoreOf } from './score.ts';

const formats = ['react', 'tools'] as const;
const seeds = Array.from({ length: 300 }, (_, seed) => seed);

async function opening(environment: Environment, id: string, format: 'react' | 'tools' = 'tools'): Promise<Message[]> {
  const task = (await environment.tasks()).find((one) => one.id === id)!;
  return agentFormat(environment, format).opening((await readOpening(environment, task)).messages);
}

/** What a model does in a state, for many seeds. */
function actionsOf(world: ScriptedWorld, environment: Environment, model: string, messages: Message[]): Action[] {
  const common = { messages, tools: true, n: 1, temperature: 1, maxTokens: null, logprobs: false };
  return seeds.map((seed) => {
    const [choice] = answer({ model, seed, ...common }, 1, [world]).choices;
    const [action] = parsedActions(agentFormat(environment, 'tools').parse(choice!.message));
    if (!action) throw new Error(`No action: ${JSON.stringify(choice)}`);
    return action;
  });
}

const double: Action = { tool: 'change', arguments: { how: 'double' } };
const isDouble = (action: Action) => action.arguments.how === 'double';

describe('the models', () => {
  test.each(formats)('solve each task where they make no mistake, in the format %s', async (format) => {
    const environment = reach();
    const player = { environment, worlds: [await scriptedWorld(environment)], serverSeed: 1, format };
    for (const task of (await environment.tasks()).slice(0, 3))
      for (const model of ['sim-expert', 'sim-policy@skill=1'])
        expect(await play(player, model, task, 3)).toMatchObject({ success: true });
  });

  test('policies make the stated share of mistakes, fewer with more skill', async () => {
    const environment = reach();
    const messages = await opening(environment, '5');
    const world = await scriptedWorld(environment, { mistakes: 0.4 });
    const share = (model: string) =>
      actionsOf(world, environment, model, messages).filter((action) => !isDouble(action)).length / seeds.length;
    // 300 draws: three standard deviations are 0.085.
    expect(Math.abs(share('sim-policy') - 0.4)).toBeLessThan(0.085);
    expect(Math.abs(share('sim-policy@skill=0.75') - 0.2)).toBeLessThan(0.07);
    expect(share('sim-policy@skill=1')).toBe(0);
    expect(share('sim-policy@skill=0')).toBe(1);
    expect(share('sim-expert')).toBe(0);
  });

  test('mistakes are other scripted actions, and scripted ones with other arguments', async () => {
    const environment = reach();
    const world = await scriptedWorld(environment);
    const wrong = actionsOf(world, environment, 'sim-policy', await opening(environment, '5')).filter(
      (action) => !isDouble(action),
    );
    expect(new Set(wrong.map((action) => JSON.stringify(action)))).toEqual(
      new Set(['{"tool":"change","arguments":{"how":"add"}}', '{"tool":"submit","arguments":{}}']),
    );
  });

  test('equal seeds and requests get equal answers', async () => {
    const environment = reach();
    const messages = await opening(environment, '7');
    const [one, other] = [await scriptedWorld(environment), await scriptedWorld(environment)];
    expect(actionsOf(one, environment, 'sim-policy', messages)).toEqual(
      actionsOf(other, environment, 'sim-policy', messages),
    );
  });

  test('go on with the script after a mistake that the environment forgives', async () => {
    const environment = reach();
    const world = await scriptedWorld(environment);
    const format = agentFormat(environment, 'tools');
    const turn = (action: Action, step: number) => {
      const message = format.render('', [action], step);
      return [message, ...format.observation(message, ['…'])];
    };
    const messages = [
      ...(await opening(environment, '5')),
      ...turn({ tool: 'change', arguments: { how: 'add' } }, 1),
      ...turn(double, 2),
    ];
    // 5 is 101: double, double, add, submit.
    expect(actionsOf(world, environment, 'sim-expert', messages).every(isDouble)).toBe(true);
    messages.push(...turn(double, 3));
    const next = actionsOf(world, environment, 'sim-expert', messages);
    expect(next[0]).toEqual({ tool: 'change', arguments: { how: 'add' } });
  });

  test('the PRM sees the next scripted action as good through its noise, and any other as bad', async () => {
    const environment = reach();
    const world = await scriptedWorld(environment);
    const messages = await opening(environment, '5');
    const format = agentFormat(environment, 'tools');
    const mean = (message: AssistantMessage) =>
      seeds.reduce((sum, seed) => sum + scoreOf([world], messages, message, seed), 0) / seeds.length;
    expect(mean(format.render('', [double], 1))).toBeGreaterThan(0.6);
    expect(mean(format.render('', [{ tool: 'submit', arguments: {} }], 1))).toBeLessThan(0.4);
    expect(mean({ role: 'assistant', content: 'Hm.' })).toBeLessThan(0.4);
  });
});

describe('tasks', () => {
  test('without a script are named, and a request about one is refused', async () => {
    const environment = reach();
    const world = await scriptedWorld(environment);
    expect(world.tasks).toEqual(['5', '6', '7']);
    expect(world.leftOut).toEqual([{ task: 'odd', reason: 'it has no script' }]);
    expect(world.match(await opening(environment, 'odd'), true)).toBeNull();
    expect(world.match(await opening(environment, '5'), true)?.task).toBe('5');
  });

  test('that are briefed alike and solved otherwise are named: models cannot tell them apart', async () => {
    const environment = reach({ briefing: async () => ({ system: 'You change a number.', user: 'Reach it.' }) });
    expect((await scriptedWorld(environment)).leftOut).toMatchObject([
      { task: '6', reason: 'it is briefed like task 5, and solved otherwise', takenFor: '5' },
      { task: '7', takenFor: '5' },
      { task: 'odd' },
    ]);
  });

  test('are told apart by their system messages where the user message is the same', async () => {
    const environment = reach({ briefing: async ({ id }) => ({ system: `Reach ${id}.`, user: 'Begin.' }) });
    const world = await scriptedWorld(environment);
    for (const format of formats) expect(world.match(await opening(environment, '6', format), true)?.task).toBe('6');
  });

  test('at which no mistake can be made up are named', async () => {
    const end = { thought: '', action: { tool: 'submit', arguments: {} } };
    const [, submit] = reach().tools!;
    const environment = reach({ tools: [submit!], script: async ({ id }) => (id === 'odd' ? null : [end]) });
    expect((await scriptedWorld(environment)).flawless).toEqual(['5', '6', '7']);
    expect((await scriptedWorld(reach())).flawless).toEqual([]);
  });
});

describe('where the tools belong to the state', () => {
  const [task] = halls.tasksOf();

  test.each(formats)('models call only tools that are offered, in the format %s', async (format) => {
    const player = { environment: halls.environment, worlds: [await scriptedWorld(halls.environment)], format };
    // `play` throws for a message that calls another tool.
    const played = await Promise.all(
      seeds.slice(0, 40).map((seed) => play({ ...player, serverSeed: seed }, 'sim-policy', task!, seed)),
    );
    const successes = played.filter(({ success }) => success).length;
    expect(successes).toBeGreaterThan(10);
    expect(successes).toBeLessThan(40);
  });

  test.each(formats)('an expert leaves a wrong room, in the format %s', async (format) => {
    const world = await scriptedWorld(halls.environment);
    const messages = await halls.after('enter', { room: 'attic' }, format);
    const offered = format === 'tools' ? halls.inRoom : undefined;
    const common = { messages, tools: format === 'tools', n: 1, temperature: 1, maxTokens: null, logprobs: false };
    const [choice] = answer({ model: 'sim-expert', seed: 1, ...common, offered }, 1, [world]).choices;
    const { calls } = agentFormat(halls.environment, format, { tools: halls.inRoom }).parse(choice!.message);
    expect(calls).toEqual([{ kind: 'action', action: { tool: 'leave', arguments: {} } }]);
    expect(world.match(messages, false, halls.inRoom)!.judge(choice!.message, 1).good).toBe(true);
  });

  test('an argument that is changed is one of those on offer', async () => {
    const world = await scriptedWorld(halls.environment, { mistakes: 1 });
    const messages = await halls.after('enter', { room: 'cellar' }, 'tools');
    const wrong = seeds.map((seed) => {
      const dice = createDice(1, seed);
      return world.match(messages, true, halls.inRoom)!.propose({ role: 'policy', skill: 0.5, family: 'f' }, 1, dice);
    });
    // The script of the other task takes a book, which is not in this room.
    expect(new Set(wrong.map(({ action }) => action.arguments.thing))).toEqual(new Set(['cup', 'key']));
  });
});

test('an environment without scripts is refused, with what to do', async () => {
  const { script: _, ...without } = reach();
  await expect(scriptedWorld(without)).rejects.toMatchObject({
    kind: 'User.Config',
    message: 'The environment "reach" has no script.',
    remedy: expect.stringContaining('script(task)'),
  });
  await expect(scriptedWorld(reach({ script: async () => null }))).rejects.toThrow('None of the 4 tasks');
  await expect(scriptedWorld(reach(), { mistakes: 40 })).rejects.toThrow('from 0 to 1, not 40');
});

// Layer: simulated models against the InterCode-SQL environment on the bundled demo dataset, without HTTP.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import type { Task } from '../../../src/domain/task.ts';
import type { Environment } from '../../../src/environments/contract.ts';
import { writeDemoDataset } from '../../../src/environments/intercode-sql/demo/demo.ts';
import { interCodeSql } from '../../../src/environments/intercode-sql/environment.ts';
import { answer } from '../../../src/simulation/answer.ts';
import { readTurns } from '../../../src/simulation/conversation.ts';
import { simulationFromDataset } from '../../../src/simulation/from-dataset.ts';
import { expertMoves } from '../../../src/simulation/sql/expert.ts';
import type { Lesson } from '../../../src/simulation/sql/lesson.ts';
import { qualityOf } from '../../../src/simulation/sql/quality.ts';
import type { SqlWorld } from '../../../src/simulation/sql/sql-world.ts';
import { drawTraits } from '../../../src/simulation/sql/traits.ts';
import { exactValues } from '../../../src/simulation/sql/value.ts';
import { advance, opening, readMove } from '../../../src/simulation/sql/visible.ts';
import { isGood } from '../../../src/simulation/world.ts';
import { type Played, play } from '../play.ts';

const serverSeed = 3;
const policy = { role: 'policy' as const, skill: 0.5, family: 'sim-policy' };
let folder: string;
let world: SqlWorld;
let environment: Environment;
let tasks: Task[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crux-simulation-'));
  const data = join(folder, 'demo');
  await writeDemoDataset(data);
  environment = interCodeSql({ data, pool: 1 });
  [world] = (await simulationFromDataset(data)) as [SqlWorld];
  tasks = await environment.tasks();
});
afterAll(async () => {
  await environment.close?.();
  rmSync(folder, { recursive: true, force: true });
});

const player = (format: 'tools' | 'react') => ({ environment, worlds: [world], serverSeed, format });

async function successRate(
  model: string,
  chosen: Task[],
  rounds: number,
  format: 'tools' | 'react' = 'tools',
): Promise<number> {
  let successes = 0;
  for (let seed = 0; seed < rounds; seed++) {
    for (const task of chosen) successes += (await play(player(format), model, task, seed)).success ? 1 : 0;
  }
  return successes / (rounds * chosen.length);
}

describe('simulated SQL agents', () => {
  test('succeed at 40-60 % (policy, easy and medium tasks) and 80-95 % (expert)', async () => {
    const easier = tasks.filter((task) => task.difficulty !== 'hard');
    const rates = {
      policy: await successRate('sim-policy', easier, 20),
      expert: await successRate('sim-expert', tasks, 20),
    };
    console.info('simulated: engine behaviour, not model quality. Success rates on the demo dataset:', rates);
    expect(rates.policy).toBeGreaterThan(0.4);
    expect(rates.policy).toBeLessThan(0.6);
    expect(rates.expert).toBeGreaterThan(0.8);
    expect(rates.expert).toBeLessThan(0.95);
  });

  test('succeed more often with more skill', async () => {
    const rates = [];
    for (const skill of [0.1, 0.5, 0.9]) rates.push(await successRate(`sim-policy@skill=${skill}`, tasks, 10));
    expect(rates[0]).toBeLessThan(rates[1]! - 0.1);
    expect(rates[1]).toBeLessThan(rates[2]! - 0.1);
  });

  test('act the same way in the text form of the environment', async () => {
    const [tools, text] = [
      await successRate('sim-policy', tasks, 20),
      await successRate('sim-policy', tasks, 20, 'react'),
    ];
    expect(Math.abs(tools - text)).toBeLessThan(0.08);
  });

  test('succeed as often as the exact value says, task by task', async () => {
    const rounds = 60;
    let squares = 0;
    for (const task of tasks) {
      const value = valuesOf(lessonOf(task)).state(opening, environment.stepLimit);
      const rate = await successRate('sim-policy', [task], rounds);
      expect(Math.abs(rate - value), `${task.id}: rate ${rate}, value ${value}`).toBeLessThan(
        4 * Math.sqrt(0.25 / rounds),
      );
      squares += ((rate - value) ** 2 * rounds) / Math.max(value * (1 - value), 0.02);
    }
    // A mean square of about 1 is what sampling alone gives.
    expect(squares / tasks.length).toBeLessThan(1.8);
  });

  test('fail in three ways: one critical step, several, or none from which the policy recovers', async () => {
    const shares = { none: 0, one: 0, several: 0 };
    let failures = 0;
    for (let seed = 0; seed < 10; seed++) {
      for (const task of tasks) {
        const played = await play(player('tools'), 'sim-policy', task, seed);
        if (played.success) continue;
        failures++;
        const critical = criticalSteps(lessonOf(task), played);
        shares[critical === 0 ? 'none' : critical === 1 ? 'one' : 'several']++;
      }
    }
    const printed = Object.fromEntries(
      Object.entries(shares).map(([name, count]) => [name, `${Math.round((100 * count) / failures)} %`]),
    );
    console.info(`simulated: engine behaviour, not model quality. Critical steps in ${failures} failures:`, printed);
    for (const count of Object.values(shares)) expect(count / failures).toBeGreaterThan(0.05);
  });
});

describe('the simulated PRM on SQL trajectories', () => {
  test('tells the good actions of a policy from the bad ones with about the stated AUC', async () => {
    const scores = { good: [] as number[], bad: [] as number[] };
    for (let seed = 0; seed < 25; seed++) {
      for (const task of tasks) {
        const { messages } = await play(player('react'), 'sim-policy', task, seed);
        messages.forEach((message, index) => {
          if (message.role !== 'assistant') return;
          const state = messages.slice(0, index);
          const good = world.match(state, false)!.judge(message, serverSeed).good;
          scores[good ? 'good' : 'bad'].push(scoreOf(state, message, seed));
        });
      }
    }
    let wins = 0;
    for (const good of scores.good) for (const bad of scores.bad) wins += good > bad ? 1 : good === bad ? 0.5 : 0;
    const auc = wins / (scores.good.length * scores.bad.length);
    const share = (values: number[], test: (score: number) => boolean) => values.filter(test).length / values.length;
    const [high, low] = [share(scores.good, (score) => score > 0.65), share(scores.bad, (score) => score < 0.45)];
    console.info(
      `simulated PRM, stated AUC 0.85, on ${scores.good.length} good and ${scores.bad.length} bad policy actions:`,
      { auc, high, low },
    );
    expect(Math.abs(auc - 0.85)).toBeLessThan(0.05);
    expect(high).toBeGreaterThan(0.6);
    expect(low).toBeGreaterThan(0.6);
  });
});

describe('a world of SQL tasks', () => {
  test('gives each task a right query and only mistakes that the environment rejects', async () => {
    for (const task of tasks) {
      const lesson = lessonOf(task);
      expect(lesson.mistakes.length).toBeGreaterThan(0);
      for (const sql of lesson.correct) expect(await submits(task, sql), sql).toBe(true);
      for (const { sql, kind } of lesson.mistakes) expect(await submits(task, sql), `${kind}: ${sql}`).toBe(false);
    }
  });

  test('gives most tasks several ways to write the right query', () => {
    expect(world.lessons.filter((lesson) => lesson.correct.length >= 3).length).toBeGreaterThan(tasks.length / 2);
  });

  test('recognises no conversation about a question that it does not have', () => {
    const messages: Message[] = [{ role: 'user', content: 'Database: ferry_line\nQuestion: What is the weather?' }];
    expect(world.match(messages, false)).toBeNull();
  });
});

function scoreOf(state: Message[], action: Message, seed: number): number {
  const content = `<conversation>\n${JSON.stringify(state)}\n</conversation>\n<action>\n${JSON.stringify(action)}\n</action>`;
  const messages: Message[] = [
    { role: 'system', content: 'Score the action.' },
    { role: 'user', content },
  ];
  const request = {
    model: 'sim-prm',
    messages,
    tools: false,
    n: 1,
    temperature: 1,
    maxTokens: null,
    logprobs: false,
    seed,
  };
  const answered = answer(request, serverSeed, [world]).choices[0]!.message.content!;
  return (JSON.parse(answered) as { score: number }).score;
}

function lessonOf(task: Task): Lesson {
  return world.lessons.find((lesson) => lesson.task.id === task.id)!;
}

function valuesOf(lesson: Lesson) {
  return exactValues(lesson, drawTraits(policy, lesson, serverSeed), 1);
}

/** Steps whose action is bad by the hidden truth while a good proposal of the expert leads the policy to success more often than not. */
function criticalSteps(lesson: Lesson, { messages }: Played): number {
  const expert = drawTraits({ role: 'expert', skill: 0.9, family: 'sim-expert' }, lesson, serverSeed);
  const values = valuesOf(lesson);
  let visible = opening;
  let critical = 0;
  for (const { action, observation } of readTurns(messages, 1, null)) {
    const move = readMove(action, observation, lesson);
    if (!isGood(qualityOf(move, visible, lesson))) {
      const good = expertMoves(visible, expert, lesson, 0.9).filter(({ value }) =>
        isGood(qualityOf(value, visible, lesson)),
      );
      if (good.some(({ value }) => values.move(visible, value, environment.stepLimit) >= 0.5)) critical++;
    }
    visible = advance(visible, move, lesson);
  }
  return critical;
}

async function submits(task: Task, query: string): Promise<boolean> {
  const session = await environment.open(task);
  const { signal } = new AbortController();
  await session.step({ tool: 'execute_sql', arguments: { query } }, signal);
  const result = await session.step({ tool: 'submit', arguments: {} }, signal);
  await session.close?.();
  return result.success === true;
}

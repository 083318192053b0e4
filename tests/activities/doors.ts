import type { Action } from '../../src/domain/action.ts';
import type { Tool } from '../../src/domain/message.ts';
import type { Environment, EnvironmentDefinition, OutcomeSoFar, StepResult } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';

export type DoorsForTests = {
  environment: Environment;
  /** What was asked of the environment since the test began. */
  opened: number;
  closed: number;
  stepped: number;
  mostOpen: number;
};

export type DoorsOptions = Partial<EnvironmentDefinition> & {
  /** In place of the result of a step: `doors` are those taken so far, this one included. It may throw. */
  step?: (doors: string[], signal: AbortSignal) => StepResult | undefined | Promise<StepResult | undefined>;
  /** What a way is worth that a limit ends. */
  outcome?: (doors: string[]) => OutcomeSoFar | Promise<OutcomeSoFar>;
  /** Called before a session opens. It may throw. */
  opening?: () => void | Promise<void>;
};

const tool: Tool = {
  type: 'function',
  function: {
    name: 'go',
    description: 'Go through a door.',
    parameters: { type: 'object', properties: { door: { type: 'string' } }, required: ['door'] },
  },
};

export const go = (door: string): Action => ({ tool: 'go', arguments: { door } });

/** Message of a policy in ReAct text that goes through a door. */
export const goText = (door: string, thought = `I take ${door}.`) =>
  `Thought: ${thought}\nAction: go\nAction Input: {"door":"${door}"}`;

/**
 * An environment of doors: `treasure` ends with reward 1, `pit` with 0, `cellar` with a half; any other door leads to a room that is named
 * by the way there. Equal but for case are equal doors.
 */
export function doors({ step, outcome, opening, ...definition }: DoorsOptions = {}): DoorsForTests {
  const seen: DoorsForTests = { environment: undefined as never, opened: 0, closed: 0, stepped: 0, mostOpen: 0 };
  seen.environment = defineEnvironment({
    name: 'doors',
    version: '1',
    tools: [tool],
    tasks: async () =>
      ['task-1', 'task-2'].map((id) => ({
        id,
        split: 'train',
        group: 'all',
        title: `The doors of ${id}`,
        difficulty: null,
      })),
    briefing: async (task) => ({ system: 'Find the treasure.', user: `You stand before the doors of ${task.id}.` }),
    canonicalAction: (action) => `${action.tool} ${String(action.arguments.door).toLowerCase()}`,
    async open() {
      await opening?.();
      seen.opened++;
      seen.mostOpen = Math.max(seen.mostOpen, seen.opened - seen.closed);
      const way: string[] = [];
      return {
        async step(action, signal) {
          seen.stepped++;
          way.push(String(action.arguments.door).toLowerCase());
          return (await step?.(way, signal)) ?? behind(way);
        },
        ...(outcome && { outcome: async () => outcome(way) }),
        async close() {
          seen.closed++;
        },
      };
    },
    ...definition,
  });
  return seen;
}

function behind(way: string[]): StepResult {
  switch (way.at(-1)) {
    case 'treasure':
      return { observation: 'The treasure.', done: true, reward: 1 };
    case 'cellar':
      return { observation: 'Half of the treasure.', done: true, reward: 0.5 };
    case 'pit':
      return { observation: 'A pit.', done: true, reward: 0 };
    default:
      return { observation: `A room behind ${way.join(', ')}.`, done: false };
  }
}

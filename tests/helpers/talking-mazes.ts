/**
 * The mazes with a voice that never says the same twice, and that counts what it is asked: a stage for `DirectLab`. What was recorded counts.
 * Only one session lives at a time, so that sessions are lost all the time.
 */
import { randomUUID } from 'node:crypto';
import type { Environment, Session } from '../../src/environments/contract.ts';
import { mazeEnvironments, worlds as usual } from './mazes.ts';

/** What was asked of the sessions of all these environments, until a test clears it. */
export const heard = { live: 0, told: 0 };

const [maze] = mazeEnvironments();

function talking(name: string, isWithSnapshots: boolean): Environment {
  return {
    ...maze!,
    name,
    capabilities: { ...maze!.capabilities, replay: 'recorded', maxSessions: 1 },
    open: async (task, snapshot) => talkingSession(await maze!.open(task, snapshot), isWithSnapshots),
  };
}

/** The session itself is no live step: it only knows the way. */
function talkingSession(session: Session, isWithSnapshots: boolean): Session {
  return {
    async step(action, signal) {
      heard.live++;
      const result = await session.step(action, signal);
      return { ...result, observation: `A voice says ${randomUUID()}. ${result.observation}` };
    },
    async recall(action) {
      heard.told++;
      await session.step(action, AbortSignal.timeout(1_000));
    },
    ...(isWithSnapshots && { snapshot: () => session.snapshot!() }),
    stateHash: async () => String(await session.snapshot!()),
  };
}

export const environments = [talking('talking-maze', false), talking('painted-maze', true)];

export const worlds = usual();

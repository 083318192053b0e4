import type { Message, Tool } from '../domain/message.ts';
import { RequestError } from './request-error.ts';
import type { Scene, SimulatedWorld } from './world.ts';

/**
 * The scene of the first world that knows a conversation.
 * @throws RequestError 400 if none does
 */
export function recognise(
  messages: readonly Message[],
  tools: boolean,
  worlds: readonly SimulatedWorld[],
  offered?: readonly Tool[],
): Scene {
  for (const world of worlds) {
    const scene = world.match(messages, tools, offered);
    if (scene) return scene;
  }
  const names = worlds.map((world) => world.name).join(', ') || 'none';
  throw new RequestError(
    400,
    'unknown_conversation',
    `No simulated world knows the task of this conversation. Worlds: ${names}. \`crux serve-sim\` knows the tasks of the environment that its --env names.`,
  );
}

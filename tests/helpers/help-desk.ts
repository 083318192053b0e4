/**
 * The help desk of the examples, as a stage for labs: its customer never says the same twice, and only one session lives at a time, so that sessions are
 * lost all the time.
 */
import helpDesk from '../../examples/help-desk/environment.ts';
import type { AskRequest } from '../../src/domain/ask.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { scriptedWorld } from '../../src/simulation/scripted-world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

const environment: Environment = { ...helpDesk, capabilities: { ...helpDesk.capabilities, maxSessions: 1 } };

let answers = 0;
function reply(request: AskRequest): string {
  const words = helpDesk.simulatedReply!(request);
  return request.purpose === 'user' ? `${words} (${++answers})` : words;
}

export const environments = [environment];
export const worlds: SimulatedWorld[] = [{ ...(await scriptedWorld(helpDesk)), reply }];

import { type AgentFormatName, actionsOf } from '../../src/domain/action.ts';
import type { Message } from '../../src/domain/message.ts';
import { observationText } from '../../src/domain/observation.ts';
import type { Task } from '../../src/domain/task.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { readOpening } from '../../src/environments/opening.ts';
import { answer } from '../../src/simulation/answer.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

export type Player = {
  environment: Environment;
  worlds: readonly SimulatedWorld[];
  serverSeed: number;
  format: AgentFormatName;
  temperature?: number;
};

export type Played = { success: boolean; steps: number; messages: Message[] };

/** Plays one trajectory of a simulated model against an environment, without HTTP. */
export async function play(player: Player, model: string, task: Task, seed: number): Promise<Played> {
  const { environment, worlds, serverSeed } = player;
  const opening = await readOpening(environment, task);
  let format = agentFormat(environment, player.format, opening);
  const messages = format.opening(opening.messages);
  const session = await environment.open(task);
  try {
    for (let step = 1; step <= environment.stepLimit; step++) {
      const tools = format.tools.length > 0;
      const request = {
        model,
        messages,
        tools,
        ...(tools && { offered: format.tools }),
        n: 1,
        temperature: player.temperature ?? 1,
        maxTokens: null,
        logprobs: false,
        seed,
      };
      const message = answer(request, serverSeed, worlds).choices[0]!.message;
      messages.push(message);
      const [action] = actionsOf(format.parse(message));
      if (!action) throw new Error(`The environment cannot read: ${JSON.stringify(message)}`);
      const result = await session.step(action, new AbortController().signal);
      const note = result.tools ? `\n\n${format.toolsNote(result.tools)}` : '';
      messages.push(...format.observation(message, [`${observationText(result.observation)}${note}`]));
      if (result.done) return { success: result.success ?? result.reward === 1, steps: step, messages };
      if (result.tools) format = agentFormat(environment, player.format, { tools: result.tools });
    }
    return { success: false, steps: environment.stepLimit, messages };
  } finally {
    await session.close?.();
  }
}

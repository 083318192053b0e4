import { askPurposes } from '../domain/ask.ts';
import { type Environment, type EnvironmentDefinition, type Replay, replays } from './contract.ts';
import { isCost } from './cost.ts';

/**
 * Makes an environment from a user's definition: fills in the defaults and rejects what cannot work.
 * @throws TypeError for a name, a limit, capabilities or purposes that cannot work
 */
export function defineEnvironment<Definition extends EnvironmentDefinition>(
  definition: Definition,
): Environment & Pick<Definition, 'briefing' | 'tools'> {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(definition.name)) {
    throw new TypeError(
      `Environment name "${definition.name}" must be lower-case letters, digits and hyphens, at most 41 of them.`,
    );
  }
  const stepLimit = definition.stepLimit ?? 10;
  if (!Number.isInteger(stepLimit) || stepLimit < 1)
    throw new TypeError(`stepLimit must be a whole number from 1, not ${stepLimit}.`);
  const { branchable, sessions, maxSessions } = definition.capabilities ?? {};
  const replay = replayOf(definition);
  if (definition.shared && replay !== 'recorded')
    throw new TypeError(
      `${definition.name} has shared(), which needs capabilities.replay 'recorded', not '${replay}'.`,
    );
  checkAsks(definition, replay);
  const { maxStepCost = 0 } = definition;
  if (!isCost(maxStepCost))
    throw new TypeError(`maxStepCost of ${definition.name} must be a number of US dollars from 0, not ${maxStepCost}.`);
  return {
    ...definition,
    stepLimit,
    successAt: definition.successAt ?? 1,
    verifier: definition.verifier ?? {},
    capabilities: {
      replay,
      branchable: branchable ?? replay !== 'never',
      sessions: sessions ?? 'cheap',
      maxSessions: maxSessions ?? 64,
    },
  };
}

function replayOf({ name, capabilities: { replay, deterministic } = {} }: EnvironmentDefinition): Replay {
  if (replay !== undefined && !replays.includes(replay))
    throw new TypeError(`capabilities.replay of ${name} must be one of ${replays.join(', ')}, not ${replay}.`);
  if (deterministic === undefined) return replay ?? 'compare';
  const meant = deterministic ? 'compare' : 'never';
  if (replay !== undefined && replay !== meant) {
    throw new TypeError(
      `The environment ${name} says replay: '${replay}' and deterministic: ${deterministic}, which means '${meant}'. Leave deterministic out.`,
    );
  }
  return meant;
}

/** A replay is compared, in every process that makes one. If sessions asked a model again each time, each comparison would be paid for. */
function checkAsks({ name, asks = [] }: EnvironmentDefinition, replay: Replay): void {
  const unknown = asks.find((purpose) => !askPurposes.includes(purpose));
  if (unknown !== undefined)
    throw new TypeError(`asks of ${name} may name ${askPurposes.join(' and ')}, not "${unknown}".`);
  if (asks.length > 0 && replay === 'compare')
    throw new TypeError(
      `The environment ${name} asks models, so its replays cannot be compared: each would ask again. Set capabilities.replay to 'recorded'.`,
    );
}

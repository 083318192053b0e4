import type { CallRule } from '../../domain/action.ts';
import type { State } from '../../store/tree.ts';
import type { Environment } from '../contract.ts';
import { type AgentFormat, agentFormat } from './agent-format.ts';

/** The format in which an agent acts in a state, with the tools that it has there. */
export function stateFormat(
  environment: Environment,
  { format, given }: Pick<State, 'format' | 'given'>,
  calls: CallRule,
): AgentFormat {
  // A state in a text format holds tools only if its session gave them.
  return agentFormat(environment, format, { calls, ...(given.length > 0 && { tools: given }) });
}

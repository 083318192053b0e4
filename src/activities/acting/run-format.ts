import { callRuleOf } from '../../domain/run/run-config.ts';
import type { AgentFormat } from '../../environments/formats/agent-format.ts';
import { stateFormat } from '../../environments/formats/state-format.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';

/** The format in which the models of a run act in a state: with the state's tools, and by the run's rule for several calls. */
export function runFormat(
  { environments }: Pick<ActivityContext, 'environments'>,
  { config }: Run,
  state: State,
): AgentFormat {
  return stateFormat(environments.get(state.environment), state, callRuleOf(config));
}

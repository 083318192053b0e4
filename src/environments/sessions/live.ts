import type { Environment, Session } from '../contract.ts';
import type { Misuse } from '../session-context.ts';
import type { SessionState } from '../state-mark.ts';

/** A session, under the key of its state. */
export type Live = {
  session: Session;
  environment: Environment;
  stateKey: string;
  misuse: Misuse;
  /** The state in a form that can be compared, once it was asked for. */
  state?: SessionState;
};

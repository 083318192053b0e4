import type { Json } from './canonical-json.ts';

/** A parsed action: the tool that is called and its arguments. Both agent formats (tool calls, ReAct text) end here. */
export type Action = { tool: string; arguments: { [name: string]: Json } };

/** How actions are written in messages: native tool calls, or ReAct text. */
export type AgentFormatName = 'tools' | 'react';

/** Which calls of a message are executed. */
export type CallRule = 'all' | 'first';

/** The agent wrote something that is no action. */
export type Malformed = {
  kind: 'malformed';
  /** Says to the agent what is wrong. */
  hint: string;
  /** The hint of runs that began before hints could be read as actions; absent if it is the same. */
  firstHint?: string;
};

/** The reading of a text that should hold one action. */
export type ParsedAction = { kind: 'action'; thought: string; action: Action } | Malformed;

/** The reading of one call of a message. */
export type Call = { kind: 'action'; action: Action } | Malformed;

/** An assistant message as an agent format reads it. */
export type ParsedMessage = {
  thought: string;
  /** In the order of the message. A message without a call has one: the malformed one that says so. */
  calls: Call[];
};

/** What a message does: the actions of its calls. Empty for a malformed message, which holds none. */
export function actionsOf({ calls }: ParsedMessage): Action[] {
  return calls.flatMap((call) => (call.kind === 'action' ? call.action : []));
}

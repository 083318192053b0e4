import { toolTrafficAsText, withToolsDescribed } from '../../domain/tools-as-text.ts';
import type { Conversation } from './conversation.ts';

/** The conversation with all tool traffic as text, for targets that know only system, user and assistant messages. */
export function withToolsAsText({ prompt, tools, sides }: Conversation): Conversation {
  return {
    prompt: withToolsDescribed(tools, toolTrafficAsText(prompt)),
    tools: [],
    sides: sides.map(toolTrafficAsText),
  };
}

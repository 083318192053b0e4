/** Shared by the formats that hold conversations as plain role and content, and train on the model's turns in them. */
import { type Message, messageText } from '../../domain/message.ts';
import type { RowFinding } from '../finding.ts';
import { type ItemRows, leftOut } from '../format.ts';
import type { Conversation } from './conversation.ts';

export type TextTurn = { role: Message['role']; content: string };

/** Messages without tool traffic: the format's `toolsAsText` has already written it as text. */
export function textTurns(messages: readonly Message[]): TextTurn[] {
  return messages.map((message) => ({ role: message.role, content: messageText(message) }));
}

/** The opening messages of an example may hold turns in the model's name, such as demonstrations. They were not written to be imitated. */
export function refusePromptTurns({ prompt }: Conversation, target: string): ItemRows | null {
  if (!prompt.some(({ role }) => role === 'assistant')) return null;
  return leftOut(
    `${target}/trains-on-prompt`,
    "The task's opening messages hold turns of the model, and the target would train on every one. crux-masked-sft, openai-sft, axolotl-sft and agentgym do not.",
  );
}

/** Reports that a template strips thoughts from earlier turns. Only a tokenizer can show it. */
export function lintHistory(historyKept: boolean | null, target: string): RowFinding[] {
  if (historyKept !== false) return [];
  return [
    {
      rule: `${target}/template-rewrites-history`,
      effect: 'damaged',
      reason:
        'The chat template writes earlier turns differently once later ones follow (many strip old thoughts): the target trains on turns that the policy never wrote in contexts that it never saw.',
    },
  ];
}

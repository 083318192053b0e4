/** A small library whose questions are sealed, and models that search it in the words of the question: a stage for labs. */
import { join } from 'node:path';
import type { Action } from '../../src/domain/action.ts';
import { deepSearch } from '../../src/environments/deep-search/environment.ts';
import { importSearch } from '../../src/environments/deep-search/import/import.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { xored } from '../../src/sealed-text.ts';
import { type AgentConversation, functionWorld } from '../../src/simulation/function-world.ts';
import { filesAt, jsonLines, passages } from './small-library.ts';
import { temporaryFolder } from './sql-datasets.ts';

/** Long answers too, so that words of them can be looked for. */
export const sealedQuestions = [
  [
    'Which river flows through the town in which the engineer who built the lighthouse was born?',
    'the river Sill which is crossed by three old bridges of stone',
  ],
  [
    'On which of the islands of the north does the singer of harbours and lighthouses live today?',
    'on the island of Tresk between its two harbours of stone and sand',
  ],
  // For this one the environment breaks.
  [
    'Where does the library burn down while somebody asks for the engineer of the lighthouse?',
    'in the old town hall of Orrefell behind the second bridge of stone',
  ],
] as const;

const canary = 'a phrase that nobody trains on';
const cell = (text: string) => Buffer.from(xored(Buffer.from(text), Buffer.from(canary))).toString('base64');
const rows = sealedQuestions.map(([question, answer], index) =>
  [index + 1, cell(question), cell(answer), '', canary].join(','),
);

/** Folder of the data set. */
export const sealedData = join(temporaryFolder(), 'sealed');
await importSearch({
  from: filesAt({
    'sealed.csv': ['id,prompt,answer,reference_steps,canary', ...rows].join('\n'),
    'corpus.jsonl': jsonLines(passages),
  }),
  into: sealedData,
});
const library = deepSearch({ data: sealedData, name: 'sealed-library', stepLimit: 4 });

const broken = defineEnvironment({
  ...library,
  open: async (task, snapshot, context) => {
    const session = await library.open(task, snapshot, context);
    if (task.id !== '3') return session;
    return Object.assign(session, {
      step: async () => {
        throw new Error(`The library burns: ${sealedQuestions[2][0]}`);
      },
    });
  },
});

const answerOf = (question: string) => sealedQuestions.find(([asked]) => question.includes(asked))?.[1] ?? 'none';
function searches({ turns, random, messages }: AgentConversation, share: number): { thought: string; action: Action } {
  const question = messages.findLast(({ content }) => content?.startsWith('Question: '))!.content!;
  if (turns.length < 2)
    return {
      thought: `I look for it: ${question}`,
      action: { tool: 'search', arguments: { query: question.slice(10) } },
    };
  const text = random() < share ? answerOf(question) : `nothing is known about ${question.slice(10)}`;
  return { thought: `It must be ${text}`, action: { tool: 'answer', arguments: { text } } };
}

export const environments = [broken];
export const worlds = [
  functionWorld({
    policy: (conversation) => searches(conversation, 0.4),
    expert: (conversation) => searches(conversation, 0.9),
    prm: (_, action) =>
      action?.tool === 'answer' ? (String(action.arguments.text).startsWith('nothing') ? 0.1 : 0.9) : 0.5,
    reply: (request) => library.simulatedReply!(request),
  }),
];

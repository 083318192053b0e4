/** Questions that are answered on a small web whose pages are other ones each time, and models that search it: a stage for labs. */
import { join } from 'node:path';
import type { Action } from '../../src/domain/action.ts';
import { deepSearch } from '../../src/environments/deep-search/environment.ts';
import { importSearch } from '../../src/environments/deep-search/import/import.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { functionWorld, type SimulatedConversation } from '../../src/simulation/function-world.ts';
import { filesAt, jsonLines } from './small-library.ts';
import { htmlPage, SmallWeb } from './small-web.ts';
import { temporaryFolder } from './sql-datasets.ts';

export const costPerSearch = 0.005;
export const web = await SmallWeb.start();

/** How often each page was read so far: its text says so. */
const versions = { '/town': 0, '/river': 0 };
for (const path of ['/town', '/river'] as const)
  web.pages.set(path, () => {
    const words = path === '/town' ? 'Orrefell lies at a river.' : 'The river is called the Sill.';
    return htmlPage(path.slice(1), `${words} This is version ${++versions[path]} of the page.`);
  });
web.found = [
  { path: '/town', title: 'Orrefell', snippet: 'A town at a river.' },
  { path: '/river', title: 'Rivers', snippet: 'Their names.' },
];

const data = join(temporaryFolder(), 'live');
await importSearch({
  from: filesAt({
    'questions.jsonl': jsonLines(
      ['one', 'two', 'three', 'four'].map((id) => ({
        id,
        split: 'train',
        question: `Which river (${id})?`,
        answer: 'Sill',
      })),
    ),
    'corpus.jsonl': jsonLines([{ title: 'none', text: 'none' }]),
  }),
  into: data,
});
process.env.BRAVE_API_KEY = 'key';
const live = deepSearch({
  data,
  name: 'live-search',
  stepLimit: 5,
  live: {
    provider: 'brave',
    baseUrl: web.url,
    costPerSearch,
    robots: false,
    privateHosts: [`127.0.0.1:${web.port}`],
  },
});

/** One session at a time: nearly every step has to be told what came before it. */
export const environments = [defineEnvironment({ ...live, capabilities: { ...live.capabilities, maxSessions: 1 } })];

function act({ turns }: SimulatedConversation, readsOn: boolean): { thought: string; action: Action } {
  const does = (tool: string, given: Action['arguments']) => ({
    thought: `I ${tool}.`,
    action: { tool, arguments: given },
  });
  const read = turns.map(({ observation }) => (observation === null ? '' : String(observation))).join('\n');
  if (turns.length === 0) return does('search', { query: 'which river' });
  if (turns.length === 1) return does('open', { id: `${web.url}/town` });
  if (read.includes('the Sill')) return does('answer', { text: 'the Sill' });
  return readsOn ? does('open', { id: `${web.url}/river` }) : does('answer', { text: 'I do not know' });
}

export const worlds = [
  functionWorld({
    policy: (conversation) => act(conversation, conversation.random() < 0.3),
    expert: (conversation) => act(conversation, true),
    prm: (_, action) => (action?.tool === 'answer' && action.arguments.text !== 'the Sill' ? 0.1 : 0.9),
  }),
];

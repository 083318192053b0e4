/** An expert trajectory that costs nothing, made from the hops of a question: search for each, read the passage that has its answer, answer. */
import type { ScriptedStep } from '../contract.ts';
import type { Library } from './library.ts';
import type { Hop, Question } from './question.ts';

/**
 * @param stepLimit most steps
 * @returns null if the hops are not known, no search finds one of the passages, or it takes too many steps
 */
export async function searchScript(
  { hops, answers }: Question,
  library: Pick<Library, 'search' | 'open'>,
  stepLimit: number,
): Promise<ScriptedStep[] | null> {
  if (hops === null) return null;
  const signal = new AbortController().signal;
  const steps: ScriptedStep[] = [];
  for (const hop of hops) {
    const document = await library.open(hop.passage, signal);
    if (!('value' in document)) return null;
    const { title } = document.value;
    const asked = askedBy(hop, hops);
    const query = await findingQuery([asked, title, `${title} ${asked}`], hop.passage, library, signal);
    if (query === null) return null;
    steps.push(
      { thought: `I need to know: ${asked}`, action: { tool: 'search', arguments: { query } } },
      { thought: `"${title}" should say it.`, action: { tool: 'open', arguments: { id: hop.passage } } },
    );
  }
  steps.push({ thought: 'I know the answer now.', action: { tool: 'answer', arguments: { text: answers[0]! } } });
  return steps.length <= stepLimit ? steps : null;
}

async function findingQuery(
  queries: readonly string[],
  passage: string,
  library: Pick<Library, 'search'>,
  signal: AbortSignal,
): Promise<string | null> {
  for (const query of queries) {
    const found = await library.search(query, signal);
    if ('value' in found && found.value.some(({ id }) => id === passage)) return query;
  }
  return null;
}

/** The question of a hop, with the answers of earlier hops in it. */
export function askedBy(hop: Pick<Hop, 'question'>, hops: readonly Pick<Hop, 'answer'>[]): string {
  return hop.question
    .replace(/#(\d+)/g, (mark, number) => hops[Number(number) - 1]?.answer ?? mark)
    .replaceAll(' >> ', ' ')
    .trim();
}

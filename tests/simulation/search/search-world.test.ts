// Layer: simulated models that search and read, played without HTTP: in a small library, and on the sample of MuSiQue where it is.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../../src/domain/action.ts';
import { deepSearch } from '../../../src/environments/deep-search/environment.ts';
import { importSearch } from '../../../src/environments/deep-search/import/import.ts';
import { termsOf } from '../../../src/environments/text-search/analysis.ts';
import { readTurns } from '../../../src/simulation/conversation.ts';
import { createSearchWorld, loadSearchWorld, type SearchWorld } from '../../../src/simulation/search/search-world.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { environments, worlds } from '../../helpers/search-stage.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';
import { type Played, type Player, play } from '../play.ts';

const [library] = environments;
const [world] = worlds as [SearchWorld];
const player: Player = { environment: library!, worlds, serverSeed: 1, format: 'react' };

const turnsOf = ({ messages }: Played) =>
  readTurns(
    messages,
    messages.findIndex(({ role }) => role === 'user'),
    null,
  );
const textOf = ({ action }: { action: Action | null }) => String(Object.values(action!.arguments)[0]);

async function plays(model: string, seeds: number, by = player): Promise<Played[]> {
  const all: Played[] = [];
  for (const task of await by.environment.tasks())
    for (let seed = 1; seed <= seeds; seed++) all.push(await play(by, model, task, seed));
  return all;
}

const share = (all: Played[]) => all.filter(({ success }) => success).length / all.length;

describe('models that search', () => {
  it('know all questions whose hops are known, and no others', () => {
    expect(world.lessons.map(({ id }) => id)).toEqual(['2hop__1', '3hop__2', '1hop__3']);
    const unknown = {
      ...world.lessons[0]!,
      split: 'train' as const,
      group: 'g',
      difficulty: null,
      canary: null,
      hops: null,
    };
    expect(createSearchWorld('w', [unknown], () => [], String)).toMatchObject({ lessons: [], leftOut: ['2hop__1'] });
    expect(world.match([{ role: 'user', content: 'Question: What else?' }], false)).toBeNull();
  });

  it('search with words that they have read: of the question, of titles, of texts', async () => {
    for (const played of await plays('sim-policy@skill=0.3', 8)) {
      let read = played.messages.find(({ role }) => role === 'user')!.content!;
      for (const turn of turnsOf(played)) {
        if (turn.action?.tool === 'search') {
          const seen = new Set(termsOf(read));
          expect(termsOf(textOf(turn)).filter((term) => !seen.has(term))).toEqual([]);
        }
        read += `\n${turn.observation ?? ''}`;
      }
    }
  });

  it('act the same way for the same seed', async () => {
    const [task] = await library!.tasks();
    expect(await play(player, 'sim-policy', task!, 3)).toEqual(await play(player, 'sim-policy', task!, 3));
  });

  it('see the hidden truth only as qualities: what finds and opens the next text is good', () => {
    const scene = world.match([{ role: 'user', content: `Question: ${world.lessons[0]!.question}` }], false)!;
    const quality = (tool: string, given: { [name: string]: string }) =>
      scene.judge({ role: 'assistant', content: `Action: ${tool}\nAction Input: ${JSON.stringify(given)}` }, 1).quality;
    expect(quality('search', { query: 'Marlow Quay lighthouse' })).toBe(0.8);
    expect(quality('search', { query: 'three bridges' })).toBe(0.25);
    expect(quality('open', { id: 'p1' })).toBe(0.9);
    expect(quality('open', { id: 'p4' })).toBe(0.2);
    expect(quality('answer', { text: 'Orrefell' })).toBe(0.6);
    expect(quality('answer', { text: 'Tresk' })).toBe(0.03);
  });
});

describe('on the sample of MuSiQue', () => {
  const data = benchmarkData('multihop');
  let musique: Player;
  let policy: Played[];
  beforeAll(async () => {
    if (data === null) return;
    const into = join(temporaryFolder(), 'musique');
    await importSearch({ from: join(data, 'musique_train.json'), into });
    musique = {
      environment: deepSearch({ data: into }),
      worlds: [loadSearchWorld(into)],
      serverSeed: 1,
      format: 'react',
    };
    policy = await plays('sim-policy', 3, musique);
  });

  it.skipIf(data === null)('the policy succeeds at 40-65 %, the expert at 80-95 %, and skill helps', async () => {
    const expert = await plays('sim-expert', 2, musique);
    expect(share(policy)).toBeGreaterThan(0.4);
    expect(share(policy)).toBeLessThan(0.65);
    expect(share(expert)).toBeGreaterThan(0.8);
    expect(share(expert)).toBeLessThan(0.95);
    expect(share(await plays('sim-policy@skill=0.2', 1, musique))).toBeLessThan(share(policy) - 0.1);
  });

  it.skipIf(data === null)(
    'failures are of several kinds: too early an answer, a wrong text, a search that does not find',
    () => {
      const failures = policy.filter(({ success }) => !success).map(turnsOf);
      const lessons = new Map((musique.worlds[0] as SearchWorld).lessons.map((lesson) => [lesson.question, lesson]));
      const lessonOf = (played: Played) =>
        lessons.get(played.messages.find(({ role }) => role === 'user')!.content!.replace('Question: ', ''))!;
      const failed = policy.filter(({ success }) => !success);
      const early = failed.filter((played) =>
        lessonOf(played)
          .hops.slice(0, -1)
          .some(({ answer }) => answer === textOf(turnsOf(played).at(-1)!)),
      );
      const misread = failed.filter((played) =>
        turnsOf(played).some(
          (turn) =>
            turn.action?.tool === 'open' && lessonOf(played).hops.every(({ passage }) => passage !== textOf(turn)),
        ),
      );
      const whole = failed.filter((played) =>
        turnsOf(played).some((turn) => turn.action?.tool === 'search' && textOf(turn) === lessonOf(played).question),
      );
      for (const kind of [early, misread, whole]) expect(kind.length / failures.length).toBeGreaterThan(0.1);
    },
  );
});

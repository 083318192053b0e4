// Layer: whole runs on a Temporal server of the test's own. Texts of a sealed benchmark are nowhere in clear on disk, and are shown to those who ask.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportRuns } from '../../src/export/export-runs.ts';
import { callCommand } from '../helpers/command.ts';
import { sealedData, sealedQuestions } from '../helpers/sealed-library-stage.ts';
import { withLab } from '../helpers/with-lab.ts';

const stage = join(import.meta.dirname, '../helpers/sealed-library-stage.ts');

/** All texts of eight words in a row, of questions and answers. */
const shingles = sealedQuestions.flat().flatMap((text) => {
  const words = text.split(' ');
  return Array.from({ length: Math.max(1, words.length - 7) }, (_, at) => words.slice(at, at + 8).join(' '));
});

function found(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap(({ parentPath, name }) => {
    const bytes = readFileSync(join(parentPath, name), 'latin1');
    return shingles.filter((shingle) => bytes.includes(shingle)).map((shingle) => `${name}: ${shingle}`);
  });
}

const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256 });

it('a run on sealed questions, with either granularity', async () => {
  await withLab({ stage }, async (lab, temporalHome) => {
    const models = {
      policy: role('sim-policy'),
      expert: role('sim-expert'),
      prm: role('sim-prm'),
      grader: role('sim-grader'),
    };
    const config = { models };
    await lab.work(config);
    const request = {
      config,
      method: 'cso',
      environment: 'sealed-library',
      split: 'test',
      samples: 4,
      limit: 3,
    } as const;
    const [run] = await Promise.all(
      (['rollout', 'step'] as const).map(async (granularity) => {
        const started = await lab.start({ ...request, granularity });
        await started.result();
        return started;
      }),
    );
    const crux = async (...words: string[]) => {
      const { code, stdout, stderr } = await callCommand([...words, '--home', lab.home], lab.home, process.env);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      return stdout;
    };
    const folders = [sealedData, lab.home, temporalHome];

    // The models have read and written the texts, and a judge was asked: there was something to seal.
    const trajectories = await lab.store.findings.trajectories(run!.id);
    expect(trajectories).toHaveLength(12);
    expect(trajectories.some(({ success }) => success)).toBe(true);
    expect(trajectories.some(({ ending }) => ending === 'environment-fault')).toBe(true);
    const pairs = await lab.store.findings.pairs(run!.id);
    expect(pairs.length).toBeGreaterThan(0);
    expect(await lab.store.journal.hasAnswer(run!.id, ['grader'])).toBe(true);
    const state = await lab.store.tree.state(trajectories[0]!.leafId);
    expect(shingles.filter((shingle) => JSON.stringify(state.messages).includes(shingle))).not.toEqual([]);
    expect(folders.flatMap(found)).toEqual([]);

    // What is printed names the task by its id.
    const taskId = pairs[0]!.taskId;
    const shown = [
      await crux('show', run!.id),
      await crux('show', run!.id, '--task', taskId),
      await crux('show', run!.id, '--task', taskId, '--json'),
      await crux('status', run!.id),
      await crux('report', run!.id),
    ].join('\n');
    expect(shown).toContain(`Task ${taskId}: ${taskId}`);
    expect(shingles.filter((shingle) => shown.includes(shingle))).toEqual([]);
    expect(folders.flatMap(found)).toEqual([]);
    const question = sealedQuestions[Number(taskId) - 1]![0];
    expect(await crux('show', run!.id, '--task', taskId, '--json', '--unseal')).toContain(question);
    expect(await crux('show', run!.id, '--json', '--unseal')).toContain(sealedQuestions[2][0]);

    // Exports leave them out and say so.
    const exported = (withSealed: boolean) =>
      exportRuns(
        lab.store,
        [run!.id],
        { format: 'trl', out: join(lab.home, 'pairs'), force: true, withSealed },
        async () => [],
      );
    const without = await exported(false);
    expect(without).toMatchObject({ rows: 0, leftOut: pairs.length });
    expect(without.summary).toMatch(/sealed/);
    expect(folders.flatMap(found)).toEqual([]);
    expect(await exported(true)).toMatchObject({ rows: pairs.length });
    expect(found(join(lab.home, 'pairs'))).not.toEqual([]);
  });
});

// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store: conversations in, pairs out.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { AgentFormatName } from '../../src/domain/action.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { comparingTexts } from '../../src/imports/compare-texts.ts';
import { readConversations } from '../../src/imports/conversations.ts';
import { readInputFile } from '../../src/imports/input-file.ts';
import { allCounts, importTrajectories } from '../../src/imports/recorded-trajectories.ts';
import { DirectLab } from '../helpers/direct-lab.ts';
import { temporaryFolder } from '../helpers/store.ts';

it.each<[AgentFormatName, AgentFormatName]>([
  ['tools', 'react'],
  ['react', 'tools'],
])(
  'conversations in %s are mined in their own form, also where the configuration asks for %s',
  async (written, configured) => {
    const [source, lab] = [await DirectLab.open(), await DirectLab.open()];
    onTestFinished(async () => {
      await Promise.all([source.close(), lab.close()]);
    });
    const formatted = (format: AgentFormatName) => ({ run: { ...lab.config().run, format } });
    const played = await source.start({ method: 'evaluate', split: 'train', config: formatted(written) });
    await played.result();
    const trajectories = await source.store.findings.trajectories(played.id);
    const lines = await Promise.all(
      trajectories.map(async ({ taskId, reward, leafId }) => {
        const { messages } = await source.store.tree.state(leafId);
        return JSON.stringify({ task_id: taskId, reward, messages });
      }),
    );
    const path = join(await temporaryFolder(), 'runs.jsonl');
    writeFileSync(path, lines.join('\n'));

    const environment = new EnvironmentRegistry(lab.config().environments).get('maze');
    const taskIds = new Set((await environment.tasks()).map(({ id }) => id));
    const read = readConversations(readInputFile(path), taskIds);
    const compare = comparingTexts(environment);
    const counts = allCounts(await importTrajectories(lab.store, environment, read.trajectories, compare));
    expect(counts).toMatchObject({ recorded: trajectories.length, replayed: trajectories.length, diverged: {} });
    expect(counts.failed).toBe(trajectories.filter(({ success }) => success === false).length);

    const mined = await lab.start({ method: 'cso', trajectories: 'imported', config: formatted(configured) });
    expect(await mined.result()).toMatchObject({ state: 'finished' });
    expect((await lab.store.runs.get(mined.id)).config.format).toBe(written);
    const pairs = await lab.store.findings.pairs(mined.id);
    expect(pairs.length).toBeGreaterThan(0);
    for (const { certificate } of pairs) expect(certificate.rejected).toMatchObject({ source: 'imported' });
  },
);

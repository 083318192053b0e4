/** Tries everything that a run needs, one thing after the other, and says what to do where it fails. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CruxConfig, loadConfig, storeLocation } from '../config.ts';
import { CruxError, errorText } from '../errors.ts';
import { openStore } from '../store/store.ts';
import { CommandFailed } from './errors.ts';
import { type GlobalOptions, homeOf, printResult } from './setting.ts';

type Finding = { what: string; ok: boolean; detail: string; remedy: string | null };

export async function doctor(options: GlobalOptions): Promise<void> {
  const findings: Finding[] = [];
  const home = homeOf(options);
  const check = async <T>(what: string, work: () => Promise<[T, string]>): Promise<T | null> => {
    try {
      const [value, detail] = await work();
      findings.push({ what, ok: true, detail, remedy: null });
      return value;
    } catch (error) {
      const remedy = error instanceof CruxError ? (error.remedy ?? null) : null;
      findings.push({ what, ok: false, detail: errorText(error), remedy });
      return null;
    }
  };

  await check('Node', async () => [null, `${process.version} (${process.execPath})`]);
  const config = existsSync(resolve(options.config))
    ? await check(
        'configuration',
        async () => [await loadConfig(options.config), resolve(options.config)] as [CruxConfig, string],
      )
    : null;
  if (!existsSync(resolve(options.config))) {
    findings.push({
      what: 'configuration',
      ok: false,
      detail: `There is no ${options.config}.`,
      remedy: 'Make one with `crux init`; `crux demo` needs none.',
    });
  }
  await check('store', async () => {
    const store = await openStore(storeLocation(config, home));
    const runs = await store.runs.list();
    await store.close();
    return [null, `${store.location} (${store.engine}), ${runs.length} runs`];
  });
  await check('Temporal server', async () => {
    if (process.env.TEMPORAL_ADDRESS || process.env.TEMPORAL_PROFILE) {
      const { connectTemporal } = await import('../temporal/connection.ts');
      const temporal = await connectTemporal({ home, report: () => {}, embedded: 'never' });
      await temporal.close();
      return [null, `${temporal.address}, namespace ${temporal.namespace}`];
    }
    const { findServerBinary } = await import('../temporal/server-binary.ts');
    const binary = await findServerBinary({ report: () => {}, allowBuild: false });
    return [null, `${binary.path} (${binary.version}, from ${binary.source})`];
  });
  for (const environment of config?.environments ?? []) {
    await check(`environment ${environment.name}`, async () => {
      const tasks = await environment.tasks();
      await environment.close?.();
      if (tasks.length === 0) throw new CruxError('User.NotFound', 'It has no tasks.');
      const train = tasks.filter(({ split }) => split === 'train').length;
      return [null, `${tasks.length} tasks (${train} train), ${new Set(tasks.map(({ group }) => group)).size} groups`];
    });
  }
  for (const [role, model] of Object.entries(config?.models ?? {})) {
    await check(`model ${role}`, () => tryModel(config!, model.endpoint, model.model));
  }

  const wrong = findings.filter(({ ok }) => !ok);
  printResult(options, findings, () =>
    findings
      .map(({ what, ok, detail, remedy }) => `${ok ? '✓' : '✗'} ${what}: ${detail}${remedy ? `\n    ${remedy}` : ''}`)
      .join('\n'),
  );
  if (wrong.length > 0) throw new CommandFailed(`${wrong.length} of ${findings.length} checks failed.`, 5);
}

/** One short real call: it shows that address, key and model name are right. */
async function tryModel(config: CruxConfig, endpointName: string, model: string): Promise<[null, string]> {
  const { Endpoint } = await import('../models/endpoint.ts');
  const endpoint = new Endpoint(endpointName, { ...config.endpoints[endpointName]!, timeoutMs: 30_000 });
  const startedAt = Date.now();
  const body = { model, messages: [{ role: 'user', content: 'Say yes.' }], max_tokens: 16 };
  try {
    await endpoint.complete(body, `doctor-${startedAt}`, 1, AbortSignal.timeout(30_000));
  } catch (error) {
    // Simulated models know the conversations of their own tasks only; that they say so shows that they are there.
    if (!errorText(error).includes('knows the task of this conversation')) throw error;
  }
  return [null, `${model} at ${endpoint.config.baseUrl} answers after ${Date.now() - startedAt} ms`];
}

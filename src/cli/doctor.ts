/** Tries everything that a run needs, one thing after the other, and says what to do where it fails. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CruxConfig, loadConfig, storeLocation } from '../config.ts';
import type { Role } from '../domain/run-config.ts';
import { agentFormat } from '../environments/agent-format.ts';
import { CruxError, errorText } from '../errors.ts';
import type { RequestBody } from '../models/endpoint.ts';
import { scoreRequest } from '../models/prompts.ts';
import { openStore } from '../store/store.ts';
import { CommandFailed } from './errors.ts';
import { type GlobalOptions, homeOf, printResult } from './setting.ts';

const roles: Role[] = ['policy', 'expert', 'prm'];

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
      if (tasks.length === 0) throw new CruxError('User.NotFound', 'It has no tasks.');
      const train = tasks.filter(({ split }) => split === 'train').length;
      return [null, `${tasks.length} tasks (${train} train), ${new Set(tasks.map(({ group }) => group)).size} groups`];
    });
  }
  if (config) for (const role of roles) await check(`model ${role}`, () => tryModel(config, role));
  for (const environment of config?.environments ?? []) await environment.close?.();

  const wrong = findings.filter(({ ok }) => !ok);
  printResult(options, findings, () =>
    findings
      .map(({ what, ok, detail, remedy }) => `${ok ? '✓' : '✗'} ${what}: ${detail}${remedy ? `\n    ${remedy}` : ''}`)
      .join('\n'),
  );
  if (wrong.length > 0) throw new CommandFailed(`${wrong.length} of ${findings.length} checks failed.`, 5);
}

/** One short call in the form that runs use: it shows that address, key, model name, tools and structured answers are taken. */
async function tryModel(config: CruxConfig, role: Role): Promise<[null, string]> {
  const { Endpoint } = await import('../models/endpoint.ts');
  const { endpoint: name, model } = config.models[role];
  const endpoint = new Endpoint(name, { ...config.endpoints[name]!, timeoutMs: 30_000 });
  const body = { model, max_tokens: 16, ...(await firstQuestion(config, role)) };
  const startedAt = Date.now();
  await endpoint.complete(body as RequestBody, `doctor-${startedAt}`, 1, AbortSignal.timeout(30_000));
  return [null, `${model} at ${endpoint.config.baseUrl} answers after ${Date.now() - startedAt} ms`];
}

/** What the policy is asked first, in the first task that there is; for the PRM, what it is asked about an answer to that. */
async function firstQuestion(config: CruxConfig, role: Role) {
  const environment = config.environments[0]!;
  const [task] = await environment.tasks();
  if (!task) throw new CruxError('User.NotFound', `The environment ${environment.name} has no task to ask about.`);
  const format = agentFormat(environment, config.run.format);
  const messages = format.opening(await environment.briefing(task));
  if (role !== 'prm') return { messages, ...(format.tools.length > 0 && { tools: format.tools }) };
  const score = scoreRequest(messages, format.tools, { role: 'assistant', content: 'I give up.' });
  return { messages: score.messages, response_format: score.responseFormat };
}

import { providerOf } from '../../models/provider.ts';
import { configIfValid, type GlobalOptions, printResult, readingStore } from '../setting.ts';
import { blockText, clock, table } from '../terminal/text.ts';

/** `crux providers`: which providers refuse calls, until when and why. `--clear` lets calls try them again at once. */
export async function providers(options: GlobalOptions, given: { clear?: string | true }): Promise<void> {
  const config = await configIfValid(options);
  const store = await readingStore(options, undefined, { config });
  try {
    const cleared =
      given.clear === undefined ? null : await store.providers.endCoolDowns(given.clear === true ? null : given.clear);
    const endpoints = Object.entries(config?.endpoints ?? {}).map(([name, endpoint]) => ({
      name,
      provider: providerOf(endpoint),
    }));
    const runs = (await store.runs.list()).filter(({ block }) => block !== null);
    const known = await store.providers.list();
    const rows = known.map(({ name, coolDownUntil, reason, demand }) => ({
      provider: name,
      endpoints: endpoints.filter(({ provider }) => provider === name).map((endpoint) => endpoint.name),
      coolDownUntil: coolDownUntil === null ? null : new Date(coolDownUntil).toISOString(),
      reason,
      /** Calls in progress or waiting, of all workers. */
      calls: demand,
      blockedRuns: runs.filter(({ block }) => block!.provider === name).map(({ id }) => id),
    }));
    printResult(options, { providers: rows, cleared }, () => {
      const text =
        rows.length === 0
          ? 'No provider is known to this store yet.'
          : table(
              ['provider', 'endpoints', 'calls', 'gets calls', 'why'],
              rows.map((row) => [
                row.provider,
                row.endpoints.join(', ') || '–',
                row.calls,
                row.coolDownUntil === null ? 'now' : `from ${clock(Date.parse(row.coolDownUntil))}`,
                row.coolDownUntil === null ? '' : (row.reason ?? 'it asked for that'),
              ]),
            );
      const blocks = runs.map(
        ({ id, block }) => `${id} is blocked ${blockText(block!)} To continue: crux resume ${id}`,
      );
      return [
        text,
        ...(cleared === null ? [] : [`Cool-downs ended: ${cleared}. Calls that wait look again within two minutes.`]),
        ...blocks,
      ].join('\n\n');
    });
  } finally {
    await store.close();
  }
}

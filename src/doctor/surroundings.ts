/** What a run needs besides its models: store, Temporal server, environments. */
import type { CruxConfig } from '../config/config.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError, errorText } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Finding } from './finding.ts';

/** One check: its finding in words, or the fault that ended it. */
export async function check(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, detail: await work(), remedy: null };
  } catch (error) {
    const remedy = error instanceof CruxError ? (error.remedy ?? null) : null;
    return { what, ok: false, detail: errorText(error), remedy };
  }
}

export async function checkStore(open: () => Promise<Store>): Promise<{ finding: Finding; store: Store | null }> {
  let store: Store | null = null;
  const finding = await check('store', async () => {
    store = await open();
    const runs = await store.runs.list();
    return `${store.location} (${store.engine}), ${runs.length} runs`;
  });
  return { finding, store };
}

/** The server that runs would use. A configured one is connected to; of the embedded one only the program is looked for. */
export function checkTemporal(
  home: string,
  { codecKeyEnv, report }: { codecKeyEnv: string | undefined; report: (line: string) => void },
): Promise<Finding> {
  return check('Temporal server', async () => {
    const { configuredServer, connectTemporal } = await import('../temporal/connection.ts');
    if ((await configuredServer()).address !== null) {
      const temporal = await connectTemporal({ home, report, embedded: 'never', codecKeyEnv });
      await temporal.close();
      return `${temporal.address}, namespace ${temporal.namespace}`;
    }
    const { dataConverterFrom, usualCodecKeyEnv } = await import('../temporal/data-converter.ts');
    // Keys that no worker could use.
    dataConverterFrom(codecKeyEnv ?? usualCodecKeyEnv);
    const { findServerBinary } = await import('../temporal/server-binary.ts');
    const binary = await findServerBinary({ report, allowBuild: false });
    return `${binary.path} (${binary.version}, from ${binary.source})`;
  });
}

export function checkEnvironment(environment: Environment): Promise<Finding> {
  return check(`environment ${environment.name}`, async () => {
    const tasks = await environment.tasks();
    if (tasks.length === 0) throw new CruxError('User.NotFound', 'It has no tasks.');
    const train = tasks.filter(({ split }) => split === 'train').length;
    return `${tasks.length} tasks (${train} train), ${new Set(tasks.map(({ group }) => group)).size} groups`;
  });
}

/** The environment whose states the questions to the models come from. @throws CruxError `User.NotFound` */
export function chosenEnvironment({ environments }: CruxConfig, name: string | undefined): Environment {
  const chosen = name === undefined ? environments[0] : environments.find((environment) => environment.name === name);
  if (chosen) return chosen;
  const known = environments.map((environment) => environment.name).join(', ');
  throw new CruxError('User.NotFound', `The configuration has no environment "${name}".`, {
    remedy: `Known: ${known}.`,
  });
}

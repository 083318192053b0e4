import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { type AskPurpose, askPurposes, rolesAsked, type SessionRole } from '../../domain/ask.ts';
import { writeDemoDataset } from '../../environments/intercode-sql/demo/demo.ts';
import { CruxError } from '../../errors.ts';
import { exportedEnvironment } from '../environment-named.ts';
import { type GlobalOptions, homeOf, printResult } from '../setting.ts';
import { demoDataset, demoName } from './demo-data.ts';

type Given = { env?: string; simulated?: boolean };

/** Parts of a configuration as text. */
type Environments = { imports: string; members: string; asks: readonly AskPurpose[] };

const template = ({ imports, members }: Environments, models: string) => `${imports}
export default defineConfig({
${members}

${models}
});
`;

const realModels = (
  ofSessions: string,
) => `  // Any OpenAI-compatible endpoint: vLLM, SGLang, Ollama, a hosted one. Keys are read from the variable that is named.
  endpoints: {
    local: { baseUrl: 'http://127.0.0.1:8000/v1', concurrency: 64 },
    // What your account allows in a minute: \`requestsPerMinute\`, \`tokensPerMinute\`.
    hosted: { baseUrl: 'https://api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY', concurrency: 16, requestsPerMinute: 500 },
  },

  // Evaluations, RRO and anchor ask the policy alone: for these, expert and prm may be left out.
  models: {
    policy: { endpoint: 'local', model: 'my-policy', temperature: 1, maxTokens: 512 },
    // Prices in US dollars per million tokens; without them every cost is unknown.
    // The dialect says what a service takes: reasoning models of OpenAI refuse \`temperature\`, \`max_tokens\` and \`stop\`.
    expert: { endpoint: 'hosted', model: 'gpt-5', dialect: 'openai-reasoning', maxTokens: 8192, price: { input: 1.25, output: 10 } },
    prm: { endpoint: 'hosted', model: 'gpt-5-mini', dialect: 'openai-reasoning', maxTokens: 4096, price: { input: 0.25, output: 2 } },
${ofSessions}
  },

  run: { preset: 'published', seed: 1, ceilings: { calls: 20_000 } },
  cso: { alternatives: 5, gammaLow: 0.45, gammaHigh: 0.65 },`;

/** @param servedWith the command that serves the models of this configuration */
const simulatedModels = (
  servedWith: string,
  ofSessions: string,
) => `  // Simulated models, which need no key. They are served by \`${servedWith}\`.
  endpoints: { simulated: { baseUrl: 'http://127.0.0.1:8123/v1' } },
  models: {
    policy: { endpoint: 'simulated', model: 'sim-policy', maxTokens: 512 },
    expert: { endpoint: 'simulated', model: 'sim-expert', maxTokens: 512 },
    prm: { endpoint: 'simulated', model: 'sim-prm', temperature: 0 },
${ofSessions}
  },`;

/** Models that sessions ask: with settings if the environment asks them, else as a comment. */
function sessionModels(asks: readonly AskPurpose[], simulated: boolean): string {
  const settings = (role: SessionRole) =>
    simulated
      ? `{ endpoint: 'simulated', model: 'sim-${role}' }`
      : `{ endpoint: 'hosted', model: 'gpt-5-mini', dialect: 'openai-reasoning', maxTokens: 4096, price: { input: 0.25, output: 2 } }`;
  const why = '    // Environments whose sessions ask models need these too: one plays the user, one grades.';
  const lines = askPurposes.map((purpose) => {
    const role = rolesAsked[purpose];
    return `    ${asks.includes(purpose) ? '' : '// '}${role}: ${settings(role)},`;
  });
  return [why, ...lines].join('\n');
}

/** @throws CruxError `Export.Exists` if there is a configuration already; nothing is written then */
export async function init(options: GlobalOptions, { env, simulated = false }: Given): Promise<void> {
  const file = resolve(options.config);
  if (existsSync(file))
    throw new CruxError('Export.Exists', `${file} exists.`, { remedy: 'Edit it, or name another file with --config.' });
  const environments = env === undefined ? await bundledTasks(options) : await ownEnvironment(env, file);
  const ofSessions = sessionModels(environments.asks, simulated);
  const servedWith = env === undefined ? 'crux serve-sim' : `crux serve-sim --env ${env}`;
  await writeFile(
    file,
    template(environments, simulated ? simulatedModels(servedWith, ofSessions) : realModels(ofSessions)),
  );
  printResult(options, { file }, () =>
    simulated
      ? `Wrote ${file}. Keep \`${servedWith}\` running in another terminal, then try: crux run cso`
      : `Wrote ${file}. Set endpoints and models in it, then try: crux doctor`,
  );
}

async function bundledTasks(options: GlobalOptions): Promise<Environments> {
  const data = demoDataset(homeOf(options));
  await writeDemoDataset(data);
  // Relative to the folder in which the configuration is read.
  const folder = JSON.stringify(relative(process.cwd(), data) || data);
  return {
    imports: "import { defineConfig, interCodeSql } from 'crux-rl';\n",
    members: `  // The tasks of the demo, to try your models on. \`crux import intercode-sql --from <folder>\` makes a data set of the benchmark.
  environments: [interCodeSql({ data: ${folder}, name: '${demoName}' })],`,
    asks: [],
  };
}

async function ownEnvironment(path: string, config: string): Promise<Environments> {
  const { environment, exportedAs } = await exportedEnvironment(path);
  await environment.close?.();
  const to = relative(dirname(config), resolve(path)).split(sep).join('/');
  const from = JSON.stringify(to.startsWith('.') ? to : `./${to}`).replaceAll('"', "'");
  const binding = exportedAs === 'default' ? 'environment' : `{ ${exportedAs} as environment }`;
  return {
    imports: `import { defineConfig } from 'crux-rl';\nimport ${binding} from ${from};\n`,
    members: '  environments: [environment],',
    asks: environment.asks ?? [],
  };
}

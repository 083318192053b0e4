import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { writeDemoDataset } from '../environments/intercode-sql/demo/demo.ts';
import { CruxError } from '../errors.ts';
import { demoDataset, demoName } from './demo-data.ts';
import { type GlobalOptions, homeOf, printResult } from './setting.ts';

/** @param data folder of the bundled data set, as seen from the configuration's readers */
const template = (data: string) => `import { defineConfig, interCodeSql } from 'crux-rl';

export default defineConfig({
  // The tasks of the demo, to try your models on. \`crux import intercode-sql --from <folder>\` makes a data set of the benchmark.
  environments: [interCodeSql({ data: ${JSON.stringify(data)}, name: '${demoName}' })],

  // Any OpenAI-compatible endpoint: vLLM, SGLang, Ollama, a hosted one. Keys are read from the variable that is named.
  endpoints: {
    local: { baseUrl: 'http://127.0.0.1:8000/v1', concurrency: 64 },
    // What your account allows in a minute: \`requestsPerMinute\`, \`tokensPerMinute\`.
    hosted: { baseUrl: 'https://api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY', concurrency: 16, requestsPerMinute: 500 },
  },

  models: {
    policy: { endpoint: 'local', model: 'my-policy', temperature: 1, maxTokens: 512 },
    // Prices in US dollars per million tokens; without them every cost is unknown.
    // The dialect says what a service takes: reasoning models of OpenAI refuse \`temperature\`, \`max_tokens\` and \`stop\`.
    expert: { endpoint: 'hosted', model: 'gpt-5', dialect: 'openai-reasoning', maxTokens: 8192, price: { input: 1.25, output: 10 } },
    prm: { endpoint: 'hosted', model: 'gpt-5-mini', dialect: 'openai-reasoning', maxTokens: 4096, price: { input: 0.25, output: 2 } },
  },

  run: { preset: 'published', seed: 1, ceilings: { calls: 20_000 } },
  cso: { alternatives: 5, gammaLow: 0.45, gammaHigh: 0.65 },
});
`;

export async function init(options: GlobalOptions): Promise<void> {
  const file = resolve(options.config);
  if (existsSync(file))
    throw new CruxError('Export.Exists', `${file} exists.`, { remedy: 'Edit it, or name another file with --config.' });
  const data = demoDataset(homeOf(options));
  await writeDemoDataset(data);
  await writeFile(file, template(relative(process.cwd(), data) || data));
  printResult(options, { file }, () => `Wrote ${file}. Set endpoints and models in it, then try: crux doctor`);
}

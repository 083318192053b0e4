/** `crux.config.ts`: what a user writes, checked, with every default filled in. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { SessionRole } from '../domain/ask.ts';
import type { MethodName } from '../domain/methods/index.ts';
import type { MonteCarlo } from '../domain/monte-carlo.ts';
import { dialectNames, reservedMembers } from '../domain/run/request-shape.ts';
import { granularities, granularityNamed, type RoleSettings, type RunModels } from '../domain/run/run-config.ts';
import { isSoftmaxed, scoringApis, scoringRules, textForms } from '../domain/run/scoring.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError, errorText } from '../errors.ts';
import { keyHeaders } from '../models/endpoint.ts';
import { checkProviders } from '../models/provider.ts';
import { improveSchema } from './improve/index.ts';
import { methodSchemas, type OptionsKey, optionsKey } from './methods/index.ts';
import { byPresentNames, type EarlierInput, renamed } from './methods/renamed.ts';
import { keysAt, nearestKey } from './nearest-key.ts';
import { importUserModule } from './user-module.ts';

const price = z.strictObject({
  /** US dollars per million prompt tokens. */
  input: z.number().min(0),
  /** US dollars per million generated tokens. */
  output: z.number().min(0),
});

const json = z.json();

/** A member of the request's body that a user may give, rename or leave out. */
const member = z
  .string()
  .min(1)
  .refine((name) => !reservedMembers.includes(name), {
    error: ({ input }) =>
      `"${String(input)}" is reserved: Crux itself says which model is asked, with which messages, and for one whole answer (reserved: ${reservedMembers.join(', ')})`,
  });

const requestSchema = z.strictObject({
  /** Members with their values: part of a call's key. */
  set: z.record(member, json).default({}),
  /** Members by the names under which they are sent. */
  rename: z.record(member, member).default({}),
  /** Members that are not sent. */
  omit: z.array(member).default([]),
});

const roleSchema = z.strictObject({
  endpoint: z.string(),
  model: z.string().min(1),
  temperature: z.number().min(0).max(2).default(1),
  topP: z.number().gt(0).max(1).nullable().default(null),
  maxTokens: z.int().min(1).default(1024),
  price: price.nullable().default(null),
  extraBody: z.record(member, json).default({}),
  dialect: z.enum(dialectNames).default('openai'),
  request: requestSchema.prefault({}),
  systemRole: z.enum(['keep', 'fold']).default('keep'),
  trainedOn: z.array(z.string()).min(1).nullable().default(null),
  reasoning: z.enum(['apart', 'text', 'member']).default('apart'),
  servedAs: z.array(z.string().min(1)).default([]),
});

/** Nothing is learned from what these models say, so nothing has to be known about what they were trained on. */
const sessionRoleSchema = roleSchema.omit({ trainedOn: true });

const judgeSchema = roleSchema.extend({
  kind: z.literal('judge').default('judge'),
  rubric: z.string().trim().min(1).nullable().default(null),
});

const { endpoint, model, price: rolePrice, request, systemRole, trainedOn, servedAs } = roleSchema.shape;

const scoreSchema = z
  .strictObject({
    ...{ endpoint, model, price: rolePrice, request, systemRole, trainedOn, servedAs },
    kind: z.literal('score'),
    api: z.enum(scoringApis),
    rule: z.enum(scoringRules).default('probability'),
    class: z
      .union([z.int().min(0), z.string().min(1)])
      .nullable()
      .default(null),
    text: z.enum(textForms).default('plain'),
    stepTag: z.string().min(1).nullable().default(null),
  })
  .refine(({ api, rule }) => !isSoftmaxed(api) || rule === 'probability', {
    path: ['rule'],
    error: ({ input }) =>
      `${(input as { api: string }).api} gives probabilities, and no logits: rule must be 'probability'`,
  })
  .refine(({ rule, class: good }) => rule !== 'softmax' || good !== null, {
    path: ['class'],
    error: "with rule 'softmax', it must say which class is the good one",
  });

const monteCarloSchema = z.strictObject({
  kind: z.literal('monte-carlo'),
  /** m; 5 as under IPR and RRO. */
  rollouts: z.int().min(1).max(64).default(5),
});

const prmSchema = z.discriminatedUnion('kind', [judgeSchema, scoreSchema, monteCarloSchema]);

/** The longest that Node's timers wait: 24 days. */
const longestTimerMs = 2 ** 31 - 1;

const endpointSchema = z.strictObject({
  baseUrl: z
    .url()
    .refine(holdsNoCredentials, 'holds a name or password; give the key by apiKeyEnv')
    .refine(isOfTheWeb, 'must begin with http:// or https://'),
  apiKeyEnv: z.string().nullable().default(null),
  keyHeader: z.enum(keyHeaders).default('authorization'),
  provider: z.string().min(1).nullable().default(null),
  concurrency: z.int().min(1).max(2000).default(64),
  requestsPerMinute: z.int().min(1).nullable().default(null),
  tokensPerMinute: z.int().min(1).nullable().default(null),
  timeoutMs: z.int().min(1000).max(longestTimerMs).default(300_000),
  maxFaults: z.int().min(1).default(20),
  logprobs: z.boolean().default(false),
});

const ceiling = {
  calls: z.int().min(1).nullable().default(null),
  tokens: z.int().min(1).nullable().default(null),
  /** US dollars. */
  cost: z.number().gt(0).nullable().default(null),
  rollouts: z.int().min(1).nullable().default(null),
};

const ceilingsSchema = z.strictObject({
  ...ceiling,
  task: z.strictObject(ceiling).prefault({}),
  step: z.strictObject(ceiling).prefault({}),
});

const runSchema = z.strictObject({
  preset: z.enum(['published', 'sound']).default('published'),
  seed: z.int().min(0).default(1),
  format: z.enum(['react', 'tools']).default('react'),
  stepLimit: z.int().min(1).max(100_000).nullable().default(null),
  tokenLimit: z.int().min(1).nullable().default(null),
  observationLimit: z.int().min(100).nullable().default(32_000),
  stop: z.boolean().default(true),
  granularity: z.enum(granularities).default('activity').transform(granularityNamed),
  parallel: z.int().min(1).max(200).default(40),
  window: z.int().min(1).max(2_000).default(50),
  ceilings: ceilingsSchema.prefault({}),
});

const environmentSchema = z.custom<Environment>(
  (value) => typeof value === 'object' && value !== null && 'name' in value && 'open' in value,
  'expected an environment, as defineEnvironment or interCodeSql returns it',
);

const observeSchema = z.strictObject({
  metrics: z.string().nullable().default(null),
  logFormat: z.enum(['pretty', 'json']).default('pretty'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

const temporalSchema = z.strictObject({
  /** Name of the variable with the keys that payloads are encrypted with. */
  codecKeyEnv: z.string().min(1).default('CRUX_CODEC_KEY'),
});

/** The whole configuration; `CruxConfig` is its type. */
export const configSchema = z.strictObject({
  environments: z.array(environmentSchema).min(1),
  endpoints: z.record(z.string(), endpointSchema),
  models: z.strictObject({
    policy: roleSchema,
    expert: roleSchema.optional(),
    prm: prmSchema.optional(),
    user: sessionRoleSchema.optional(),
    grader: sessionRoleSchema.optional(),
  }),
  run: runSchema.prefault({}),
  ...methodSchemas,
  improve: improveSchema.nullable().default(null),
  observe: observeSchema.prefault({}),
  temporal: temporalSchema.prefault({}),
  /** SQLite file or `postgres://` address. Default: `crux.db` in the home folder. */
  store: z.string().nullable().default(null),
});

/** What a user writes. */
export type CruxConfigInput = z.input<typeof configSchema> & {
  [Name in MethodName as OptionsKey<Name>]?: EarlierInput<Name>;
};
/** The same with every default. */
export type CruxConfig = z.output<typeof configSchema>;

/** Types a configuration; it is checked when it is loaded. */
export function defineConfig(config: CruxConfigInput): CruxConfigInput {
  return config;
}

/** @throws CruxError `User.Config` that names each wrong key and what was expected */
export function checkConfig(input: unknown, origin = 'configuration'): CruxConfig {
  const parsed = configSchema.safeParse(withPresentNames(input));
  if (!parsed.success) {
    throw new CruxError('User.Config', `${origin} is not valid:\n${issues(parsed.error)}`, {
      remedy: 'Correct the keys above; docs/configuration.md lists them all.',
    });
  }
  const config = parsed.data;
  for (const [role, { endpoint }] of Object.entries(givenModels(config))) {
    if (!Object.hasOwn(config.endpoints, endpoint)) {
      throw new CruxError(
        'User.Config',
        `${origin}: models.${role}.endpoint is "${endpoint}", which \`endpoints\` does not have.`,
        {
          remedy: `Known endpoints: ${Object.keys(config.endpoints).join(', ') || 'none'}.`,
        },
      );
    }
  }
  checkProviders(config.endpoints, origin);
  return config;
}

function withPresentNames(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const given = input as { [key: string]: unknown };
  const changed = (Object.keys(renamed) as (keyof typeof renamed)[]).flatMap((method) => {
    const options = given[optionsKey(method)];
    const isGiven = typeof options === 'object' && options !== null;
    return isGiven ? [[optionsKey(method), byPresentNames(method, options as { [name: string]: unknown })]] : [];
  });
  return { ...given, ...Object.fromEntries(changed) };
}

/**
 * Loads a configuration file.
 * @throws CruxError `User.NotFound`, `User.Config`
 */
export async function loadConfig(path: string): Promise<CruxConfig> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new CruxError('User.NotFound', `There is no configuration ${file}.`, {
      remedy: 'Make one with `crux init`, or name it with --config.',
    });
  }
  let loaded: { default?: unknown };
  try {
    loaded = await importUserModule(file);
  } catch (error) {
    const remedy = error instanceof CruxError ? error.remedy : undefined;
    throw new CruxError('User.Config', `${file} could not be loaded: ${errorText(error)}`, { remedy, cause: error });
  }
  if (loaded.default === undefined) {
    throw new CruxError('User.Config', `${file} has no default export.`, {
      remedy: 'Write `export default defineConfig({ … })`.',
    });
  }
  return checkConfig(loaded.default, file);
}

type Models = CruxConfig['models'];

/** The models of a configuration, without roles that it leaves out, or that no model takes. */
export function givenModels({ models: { prm, ...others } }: Pick<CruxConfig, 'models'>): Omit<Models, 'prm'> & {
  prm?: Exclude<Models['prm'], { kind: 'monte-carlo' }>;
} {
  const asked = { ...others, ...(prm?.kind !== 'monte-carlo' && { prm }) };
  return Object.fromEntries(Object.entries(asked).filter(([, settings]) => settings !== undefined)) as typeof asked;
}

/** The PRM that is no model; undefined if the configuration has none, or one that is asked. */
export function monteCarloOf({ models: { prm } }: Pick<CruxConfig, 'models'>): MonteCarlo | undefined {
  return prm?.kind === 'monte-carlo' ? { rollouts: prm.rollouts } : undefined;
}

/** The settings of the models that methods ask, as far as the configuration has them. */
export function roleSettings(config: Pick<CruxConfig, 'models'>): RunModels {
  const { policy, expert, prm } = givenModels(config);
  // The names under which a server knows a model are a fact about the server. They may be given while a run is blocked, and are no part of the run.
  const settings = ({ trainedOn, servedAs: _, ...role }: CruxConfig['models']['policy']) =>
    ({ ...role, ...(trainedOn !== null && { trainedOn }) }) as RoleSettings;
  const ofPrm = (given: NonNullable<typeof prm>): RoleSettings => {
    if (given.kind === 'score') return scoringSettings(given);
    const { kind: _, rubric, ...role } = given;
    return { ...settings(role), ...(rubric !== null && { rubric }) };
  };
  return {
    policy: settings(policy),
    ...(expert && { expert: settings(expert) }),
    ...(prm && { prm: ofPrm(prm) }),
  };
}

/** A scoring endpoint generates nothing, so that temperature and length have no meaning. */
function scoringSettings(given: Extract<Models['prm'], { kind: 'score' }>): RoleSettings {
  const { endpoint, model, price, request, systemRole, trainedOn, api, rule, class: good, text, stepTag } = given;
  return {
    ...{ endpoint, model, temperature: 0, topP: null, maxTokens: 0, price, extraBody: {}, request, systemRole },
    ...(trainedOn !== null && { trainedOn }),
    scoring: { api, rule, class: good, text, stepTag },
  };
}

/** The settings of a model that sessions ask; null if the configuration has none. */
export function sessionRoleSettings({ models }: Pick<CruxConfig, 'models'>, role: SessionRole): RoleSettings | null {
  const given = models[role];
  if (!given) return null;
  const { servedAs: _, ...settings } = given;
  return settings;
}

/** The folder of all state: `CRUX_HOME`, else `.crux` where the command runs. */
export function cruxHome(): string {
  return resolve(process.env.CRUX_HOME ?? '.crux');
}

export function storeLocation(config: Pick<CruxConfig, 'store'> | null, home: string): string {
  return process.env.CRUX_STORE ?? config?.store ?? join(home, 'crux.db');
}

/** Addresses appear in messages. */
function holdsNoCredentials(address: string): boolean {
  const { username, password } = URL.parse(address) ?? { username: '', password: '' };
  return username === '' && password === '';
}

/** `localhost:8000/v1` is a URL too, one of the protocol "localhost:". */
function isOfTheWeb(address: string): boolean {
  return /^https?:$/.test(URL.parse(address)?.protocol ?? '');
}

function issues(error: z.ZodError): string {
  return error.issues.map((issue) => `  ${issue.path.join('.') || '(whole file)'}: ${wordsOf(issue)}`).join('\n');
}

function wordsOf(issue: z.core.$ZodIssue): string {
  // A record reports a fault in a key one level deeper.
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined'))
    return `is missing (expected ${issue.expected})`;
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const known = keysAt(configSchema, issue.path);
  const meant = issue.keys.flatMap((key) => nearestKey(key, known) ?? []);
  return meant.length === 0 ? issue.message : `${issue.message}: did you mean ${meant.join(', ')}?`;
}

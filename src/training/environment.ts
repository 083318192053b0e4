/** Environment variables of the programs that Crux starts for trainings: trainers and servers. */

/** Where a configuration names the variables that hold keys. */
export type NamedKeys = {
  endpoints: { [name: string]: { apiKeyEnv: string | null } };
  temporal: { codecKeyEnv: string };
};

/** The keys of models, store and payloads are none of their business. A hub's token is, whoever else uses it. */
export function withheldVariables({ endpoints, temporal }: NamedKeys): string[] {
  const keys = Object.values(endpoints).flatMap(({ apiKeyEnv }) => (apiKeyEnv === null ? [] : [apiKeyEnv]));
  return [...keys, temporal.codecKeyEnv].filter((name) => name !== 'HF_TOKEN');
}

/** What leads to the store and to Temporal, whatever the configuration says. The client certificate of Temporal may be in a variable, too. */
const always = /^(?:CRUX_STORE|PGPASSWORD|PGPASSFILE|TEMPORAL_.*)$/;

/** The variables of this process, without those that are withheld. */
export function environmentWithout(withheld: readonly string[]): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => !withheld.includes(name) && !always.test(name));
  const env = Object.fromEntries(passed);
  // Python holds back what it prints to a pipe.
  return { PYTHONUNBUFFERED: '1', ...env };
}

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * Tests that need a Temporal server: all share one, started by the project's global setup in a folder of its own. What methods find needs none
 * (tests/workflows/methods).
 */
const withServer = ['tests/temporal', 'tests/workflows', 'tests/end-to-end', 'tests/endpoints'].map(
  (folder) => `${folder}/*.test.ts`,
);

/** Long ones have commands of their own: `npm run test:processes`, `test:chaos`, `test:package`, `test:lab`, `test:mysql`, `test:stack`. */
const processes = 'tests/processes/*.test.ts';
const kills = 'tests/chaos/*.test.ts';
const lab = 'tests/lab/*.test.ts';
const mysql = 'tests/mysql/*.test.ts';
const installs = 'tests/packaging/installed-package.test.ts';

/** The tests' servers are found by the tests alone, whatever the user's own Temporal configuration says. */
const env = {
  TEMPORAL_ADDRESS: '',
  TEMPORAL_PROFILE: '',
  TEMPORAL_NAMESPACE: '',
  TEMPORAL_CONFIG_FILE: 'no-such-file.toml',
};

/** What a user's configuration imports is the package under test, in the test's own process too. */
const door = (name: string, file: string) => ({
  find: new RegExp(`^${name}$`),
  replacement: join(import.meta.dirname, 'src', file),
});
const resolve = { alias: [door('crux-rl', 'index.ts'), door('crux-rl/testing', 'testing.ts')] };

const setupFiles = ['tests/helpers/end-of-file.ts'];

const common = {
  environment: 'node',
  pool: 'forks',
  // What a package loads is loaded once in a worker; our own modules begin anew with each file.
  isolate: false,
  // For what never ends: machines that run tests are often busy with other things.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  unstubEnvs: true,
  setupFiles,
  expect: { poll: { timeout: 120_000 } },
  env,
} as const;

const globalSetup = ['tests/helpers/temporal-global-setup.ts'];

export default defineConfig({
  test: {
    // Tests with a server wait for timers and for one another. One project after the other, as is usual: a worker is kept only if the next file is of
    // its own project, so that files of both in turns would load all packages anew at most of the changes.
    maxWorkers: 2 * availableParallelism(),
    projects: [
      {
        resolve,
        test: {
          ...common,
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: [...withServer, processes, kills, installs, lab, mysql, 'tests/stack/**'],
        },
      },
      {
        resolve,
        test: {
          ...common,
          globalSetup,
          name: 'temporal',
          include: withServer,
        },
      },
      {
        resolve,
        test: { ...common, globalSetup, name: 'processes', include: [processes] },
      },
      {
        resolve,
        test: { ...common, globalSetup, name: 'chaos', include: [kills] },
      },
      {
        resolve,
        test: { ...common, name: 'package', include: [installs] },
      },
      {
        resolve,
        test: { ...common, name: 'lab', include: [lab] },
      },
      {
        resolve,
        test: { ...common, name: 'mysql', include: [mysql] },
      },
    ],
  },
});

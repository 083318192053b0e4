import { defineConfig } from 'vitest/config';

/** The production stack without Docker, by name only: `npm run test:stack`. It builds the Temporal server once for this machine. */
export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    include: ['tests/stack/*.test.ts'],
    hookTimeout: 1_200_000,
    testTimeout: 300_000,
  },
});

// Layer: views on a store, and what a user reads of them.
import { expect, it } from 'vitest';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

it('the summary of a run says in which form its judge is asked for JSON, where the server refused a better one', async () => {
  const store = await temporaryStore();
  const run = await addRun(store);
  const fact = { provider: 'models.example-1', model: run.config.models.prm!.model, fact: 'json-form' } as const;
  await store.endpointFacts.remember({ ...fact, value: 'json_schema', words: null });
  expect(summaryText(await runSummary(store, run.id))).not.toContain('JSON answers');
  await store.endpointFacts.remember({ ...fact, value: 'json_object', words: 'response_format is unavailable' });
  expect(summaryText(await runSummary(store, run.id))).toMatch(
    /JSON answers +test-prm at models\.example-1 is asked by json_object: response_format is unavailable/,
  );
});

// Layer: the edge to Temporal, on a real server: what an activity's attempts know of each other.
import { ApplicationFailure } from '@temporalio/activity';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { activity, workHandedOver } from '../../src/activities/runtime/boundary.ts';
import { CruxError } from '../../src/errors.ts';
import { connectionTo } from '../helpers/connection.ts';

it('a defect is final when it happened ten times, however many pauses and handovers came in between', async () => {
  const { address } = inject('temporal');
  const connection = await NativeConnection.connect({ address });
  let [attempts, defects] = [0, 0];
  const work = activity(async (): Promise<string> => {
    if (++attempts % 3 === 1) throw new CruxError('Run.Paused', 'Later.', { retryAfterMs: 5 });
    if (attempts % 3 === 2) throw workHandedOver();
    defects++;
    throw new TypeError('x is undefined');
  });
  const taskQueue = 'defects';
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: new URL('../fixtures/one-activity.ts', import.meta.url).pathname,
    activities: { work },
  });
  const client = new Client({ connection: await connectionTo(address) });
  const failure = await worker.runUntil(
    client.workflow.execute('oneActivity', { taskQueue, workflowId: 'defects' }).catch((error: unknown) => error),
  );
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect((failure as WorkflowFailedError).cause?.cause).toBeInstanceOf(ApplicationFailure);
  expect({ attempts, defects }).toEqual({ attempts: 30, defects: 10 });
  await connection.close();
});

import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { readServerState } from '../../src/temporal/server-state.ts';
import type { Project } from '../end-to-end/crux.ts';
import { connectionTo } from '../helpers/connection.ts';

export type RawHistory = {
  workflowId: string;
  events: proto.temporal.api.history.v1.IHistoryEvent[];
  /** History and description as they lie in the server: what is not encrypted can be read in them. */
  bytes: Buffer;
};

/** The histories and the descriptions of all workflows of a project's embedded server, as a client without keys gets them. */
export async function rawHistories(project: Project): Promise<RawHistory[]> {
  const address = readServerState(project.home)?.address;
  if (address === undefined) throw new Error('No server runs for this project.');
  const connection = await connectionTo(address);
  try {
    const { workflow, workflowService } = new Client({ connection });
    const found: RawHistory[] = [];
    for await (const { workflowId, runId } of workflow.list()) {
      const history = await workflow.getHandle(workflowId, runId).fetchHistory();
      const described = await workflowService.describeWorkflowExecution({
        namespace: 'default',
        execution: { workflowId, runId },
      });
      const { history: historyType, workflowservice } = proto.temporal.api;
      const bytes = Buffer.concat([
        historyType.v1.History.encode(history).finish(),
        workflowservice.v1.DescribeWorkflowExecutionResponse.encode(described).finish(),
      ]);
      found.push({ workflowId, events: history.events ?? [], bytes });
    }
    return found;
  } finally {
    await connection.close();
  }
}

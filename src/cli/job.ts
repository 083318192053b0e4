import type { Client } from '@temporalio/client';
import type { BlockedRun } from '../start/blocked-run.ts';
import type { WorkerRole } from '../temporal/task-queues.ts';

/** What a command works on until it is over. */
export type Job<T> = {
  /** As a subject of sentences: `Run cso-1`. */
  name: string;
  /** Of its workflow. */
  id: string;
  environment: string;
  /** For `crux status`. */
  command: string;
  /** Of the worker that it needs in this process. */
  roles: readonly WorkerRole[];
  /** Whether a run of the store is part of it. */
  owns(runId: string): boolean;
  /** Starts it, and waits for its end. */
  work(client: Client): Promise<T>;
  /** Where it stands, in a line of at most `width` characters. @param elapsedMs since the command began to work */
  progress(elapsedMs: number, width: number): Promise<string>;
  /** Resolves when it has been blocked for so long that the user has to act. */
  blocked(over: AbortSignal): Promise<BlockedRun>;
  /** Its state in a word. */
  state(): Promise<string>;
  /** Keeps workers from continuing it unasked. @returns whether they will not @param client null if Temporal was not reached */
  rest(client: Client | null): Promise<boolean>;
  /** How the user continues it. */
  again: string;
  /** The command that keeps other workers from it; null if there is none. */
  halt: string | null;
};

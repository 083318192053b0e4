import type { CruxConfig } from '../../config/config.ts';
import type { EnvironmentRegistry } from '../../environments/registry.ts';
import type { SessionCache } from '../../environments/sessions/session-cache.ts';
import type { Gateway } from '../../models/gateway.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';

/** What a worker's activities work with; one per process. */
export type ActivityContext = {
  store: Store;
  config: CruxConfig;
  environments: EnvironmentRegistry;
  sessions: SessionCache;
  gateway: Gateway;
  /** Folder of all state of this process, for what is too large for the store. */
  home: string;
  /** Where events go. */
  log: Log;
  /** Task queue of this worker alone, for steps whose session it holds; null if no environment has costly sessions. */
  holderQueue: string | null;
  /** Fires when the worker is asked to stop. Long activities then give up at their next step boundary, and another worker takes them up. */
  stopping: AbortSignal;
  /** Fires when nothing is to begin here any more, at the latest with `stopping`. Work that waits for a costly session then leaves. */
  closing: AbortSignal;
  /** How long an activity plays out before it hands its work over at a step boundary (step-boundary.ts), in milliseconds from 0. */
  yieldAfterMs: number;
  /** The `StepBoundary` of an activity in which several conversations play out: they hand their work over together. Absent where each has its own. */
  boundary?: { pass(): void; advanced(): void };
};

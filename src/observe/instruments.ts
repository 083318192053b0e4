/** All instruments of Crux by name (docs/observability.md gives their meaning). Labels are closed sets and names of the configuration. */
import { createNoopMeter, type Meter } from '@opentelemetry/api';

/** Model calls take between a tenth of a second and minutes. */
const callSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
const stepSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

/** Why a call had to wait. */
export type WaitReason = 'place' | 'rate-limit' | 'outage' | 'fault' | 'ceiling';

export type Instruments = ReturnType<typeof makeInstruments>;

/** Prometheus adds `_total` to counters. */
export function makeInstruments(meter: Meter) {
  const counter = (name: string, description: string, unit?: string) =>
    meter.createCounter(name, { description, unit });
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries } });
  return {
    calls: counter('crux_model_calls', 'complete answers of models, paid'),
    journalReads: counter('crux_model_journal_reads', 'answers that were read from the journal instead of paid'),
    faults: counter('crux_model_faults', 'requests that ended without an answer'),
    tokens: counter('crux_model_tokens', 'tokens of paid answers, as far as the provider tells'),
    cost: counter('crux_model_cost_dollars', 'cost of paid answers, as far as it is known'),
    unknownCost: counter('crux_model_cost_unknown', 'paid answers of unknown cost'),
    callSeconds: seconds('crux_model_call_seconds', 'time from request to complete answer', callSeconds),
    waitSeconds: counter(
      'crux_model_wait_seconds',
      'time that calls waited before they were sent, summed over calls',
      's',
    ),
    callsUnderWay: gauge('crux_model_calls_under_way', 'calls that are sent and not answered yet'),
    callsWaiting: gauge('crux_model_calls_waiting', 'calls that wait for a place at their endpoint'),
    concurrency: gauge('crux_model_concurrency', 'places at an endpoint, as adapted to what its provider takes'),
    stepSeconds: seconds('crux_environment_step_seconds', 'time of a step of an environment', stepSeconds),
    environmentFaults: counter('crux_environment_faults', 'steps and openings that broke'),
    sessionsOpen: gauge('crux_sessions_open', 'live sessions of environments'),
    sessionsWaiting: gauge('crux_sessions_waiting', 'work that waits for a session, because all are in use'),
    sessionsRebuilt: counter('crux_sessions_rebuilt', 'sessions that were gone and were rebuilt'),
    divergences: counter('crux_replay_divergences', 'replays that observed something else than was recorded'),
    queueDepth: gauge('crux_task_queue_depth', 'tasks in a Temporal task queue that no worker has taken yet'),
  };
}

/** For callers that measure nothing. */
export const noInstruments: Instruments = makeInstruments(createNoopMeter());

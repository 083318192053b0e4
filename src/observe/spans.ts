/**
 * Spans of activities, model calls and environment steps. All spans of one trajectory form one trace. Its id is made of the trajectory's workflow id,
 * so that workers which know nothing of each other agree on it (docs/decisions/0011-traces-without-workflow-code.md).
 */
import { createHash } from 'node:crypto';
import { type Attributes, type Span, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import { CruxError, errorText } from '../errors.ts';
import { sealedHere } from '../sealing.ts';
import { placeOfWorkflow } from './place.ts';

/** 32 hexadecimal characters, the same for all workflows of a trajectory. */
export function traceIdOf(workflowId: string): string {
  const { run, task, sample } = placeOfWorkflow(workflowId);
  const trajectory = task === undefined ? (run ?? workflowId) : `${run}/${task}/${sample}`;
  return createHash('sha256').update(trajectory).digest('hex').slice(0, 32);
}

let chosenTraceId: string | null = null;

/** The id that the span being started wants for its trace, for the provider's id generator; null if any id will do. */
export function takeChosenTraceId(): string | null {
  const id = chosenTraceId;
  chosenTraceId = null;
  return id;
}

/** Runs `work` in a root span. */
export function inRootSpan<T>(
  traceId: string,
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  chosenTraceId = traceId;
  return inSpan(name, attributes, work, { root: true });
}

/** Runs `work` in a child span of the present one. An error marks the span as failed, with its kind. */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  return await trace.getTracer('crux').startActiveSpan(name, { ...options, attributes }, async (span) => {
    // A provider took it when the span began; without a provider it is still set.
    chosenTraceId = null;
    try {
      return await work(span);
    } catch (error) {
      const kind = kindOf(error);
      span.setAttribute('error.type', kind);
      span.setStatus({ code: SpanStatusCode.ERROR, message: `${kind}: ${sealedHere(errorText(error))}` });
      throw error;
    } finally {
      span.end();
    }
  });
}

function kindOf(error: unknown): string {
  if (error instanceof CruxError) return error.kind;
  const { type, name } = error as { type?: unknown; name?: unknown };
  return ([type, name].find((value) => typeof value === 'string') as string | undefined) ?? 'Unknown';
}

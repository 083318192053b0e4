/**
 * Jobs of OpenAI.
 * Sources: https://developers.openai.com/api/reference/resources/fine_tuning (jobs, events, methods), openai/openai-node: src/resources/files.ts,
 * src/resources/fine-tuning/jobs/jobs.ts, src/resources/fine-tuning/methods.ts;
 * https://learn.microsoft.com/en-us/azure/foundry/reference/rest/fine-tuning-list-fine-tuning-events.
 */
import { z } from 'zod';
import type { Job, JobDialect, JobMetrics } from './dialect.ts';
import { type ListedApi, ListedJobs } from './listed-jobs.ts';

const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  fine_tuned_model: z.string().nullish(),
  error: z.object({ message: z.string().nullish() }).nullish(),
  created_at: z.number().nullish(),
  finished_at: z.number().nullish(),
  trained_tokens: z.number().nullish(),
});

/** Azure has `canceled` in its older answers. */
const ends: { [status: string]: Job['end'] } = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
};

const markedSchema = z.object({
  metadata: z.record(z.string(), z.unknown()).nullish(),
  user_provided_suffix: z.string().nullish(),
});

const eventsSchema = z.object({
  data: z.array(z.object({ message: z.string().nullish(), data: z.record(z.string(), z.unknown()).nullish() })),
});

export const openai: JobDialect = {
  takes: { dpo: ['beta', 'epochs', 'batchSize'], sft: ['epochs', 'batchSize'] },
  hasMultiplier: true,
  leastBatch: 1,
  trainsAdapters: false,
  betaBelow: null,
  address: null,
  takesIds: false,
  servedBy: ['hosted'],
  service: (endpoint) => new ListedJobs(endpoint, openaiApi),

  request({ settings, file, mark, learningRateMultiplier }) {
    const { run, round, loss, base, seed } = settings;
    const { beta, epochs, batchSize } = settings.hyperparameters;
    const hyperparameters = {
      n_epochs: epochs,
      batch_size: batchSize,
      ...(learningRateMultiplier !== null && { learning_rate_multiplier: learningRateMultiplier }),
    };
    return {
      model: base.from,
      training_file: file,
      suffix: mark,
      seed,
      metadata: { crux_run: run, crux_round: String(round), crux_training: mark },
      method:
        loss === 'dpo'
          ? { type: 'dpo', dpo: { hyperparameters: { ...hyperparameters, beta } } }
          : { type: 'supervised', supervised: { hyperparameters } },
    };
  },
};

export const openaiApi: ListedApi = {
  jobs: '/fine_tuning/jobs',
  page: '?limit=100',
  files: {
    place: '/files',
    page: '?purpose=fine-tune',
    upload: '/files',
    fields: () => ({ purpose: 'fine-tune' }),
    ready: null,
  },
  estimate: null,

  read(answer) {
    const { success, data: job } = jobSchema.safeParse(answer);
    if (!success) return null;
    const { created_at: from, finished_at: to } = job;
    return {
      id: job.id,
      status: job.status,
      end: ends[job.status] ?? null,
      model: job.fine_tuned_model ?? null,
      words: job.error?.message ?? null,
      seconds: from == null || to == null ? null : to - from,
      trainedTokens: job.trained_tokens ?? null,
      costMicroUsd: null,
      rows: null,
      steps: null,
    };
  },

  isMarked(answer, mark) {
    const { data: job } = markedSchema.safeParse(answer);
    return job?.metadata?.crux_training === mark || job?.user_provided_suffix === mark;
  },

  metrics: {
    path: '/events?limit=100',
    read(answer) {
      const { data: page } = eventsSchema.safeParse(answer);
      return page?.data.flatMap(({ message, data }) => metricsOf(data ?? {}, message ?? '') ?? []) ?? null;
    },
  },
};

/** `data` of an event of type `metrics`, which is documented as any object; its message says the same, as in `Step 90/90: training loss=0.02`. */
function metricsOf(data: { [name: string]: unknown }, message: string): JobMetrics | null {
  const said = /^Step (\d+)\/(\d+): training loss=([\d.eE+-]+)/.exec(message);
  const [step, total, loss] = [data.step ?? said?.[1], data.total_steps ?? said?.[2], data.train_loss ?? said?.[3]];
  if (step === undefined) return null;
  const others = Object.entries(data).filter(
    ([name, value]) => typeof value === 'number' && !['step', 'total_steps', 'train_loss'].includes(name),
  ) as [string, number][];
  return {
    ...Object.fromEntries(others),
    step: Number(step),
    ...(total !== undefined && { total: Number(total) }),
    ...(loss !== undefined && { loss: Number(loss) }),
  };
}

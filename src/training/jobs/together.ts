/**
 * Jobs of Together AI.
 * Sources: https://docs.together.ai/reference/post-fine-tunes, …/get-fine-tunes, …/get-fine-tunes-id-events, …/get-fine-tunes-id-metrics,
 * …/post-fine-tunes-estimate-price, …/upload-file, https://docs.together.ai/docs/fine-tuning/preference-tuning; togethercomputer/together-py:
 * src/together/types/{finetune_response,fine_tuning_list_response,fine_tuning_estimate_price_response,finetune_event_type}.py,
 * src/together/lib/resources/fine_tuning.py.
 */
import { z } from 'zod';
import type { Json } from '../../domain/canonical-json.ts';
import type { Job, JobDialect, JobMetrics, JobOrder } from './dialect.ts';
import { ofTraining } from './exchange.ts';
import { type ListedApi, ListedJobs } from './listed-jobs.ts';

const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  model_output_name: z.string().nullish(),
  output_name: z.string().nullish(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  token_count: z.number().nullish(),
  total_price: z.number().nullish(),
  trainingfile_numlines: z.number().nullish(),
  events: z
    .array(z.object({ type: z.string().nullish(), message: z.string().nullish(), total_steps: z.number().nullish() }))
    .nullish(),
});

/** `user_error` is in its SDK only, not in its reference. */
const ends: { [status: string]: Job['end'] } = {
  completed: 'succeeded',
  error: 'failed',
  user_error: 'failed',
  cancelled: 'cancelled',
};

const markedSchema = z.object({
  suffix: z.string().nullish(),
  model_output_name: z.string().nullish(),
  output_name: z.string().nullish(),
});

const metricsSchema = z.object({ metrics: z.array(z.record(z.string(), z.unknown())).nullish() });

const estimateSchema = z.object({
  estimation_available: z.boolean().nullish(),
  /** In US dollars, as the credit limit is. */
  estimated_total_price: z.number().nullish(),
  allowed_to_proceed: z.boolean().nullish(),
  user_limit: z.number().nullish(),
});

const ofAll = ['learningRate', 'epochs', 'batchSize', 'warmup', 'lora'] as const;

export const together: JobDialect = {
  takes: { dpo: [...ofAll, 'beta', 'sftWeight'], sft: ofAll },
  hasMultiplier: false,
  leastBatch: 8,
  trainsAdapters: false,
  betaBelow: null,
  address: null,
  takesIds: false,
  servedBy: ['hosted'],
  service: (endpoint) => new ListedJobs(endpoint, api),

  request(order) {
    const { settings, continues, file, mark } = order;
    const { epochs, batchSize, learningRate, warmup, lora } = settings.hyperparameters;
    return {
      // A model that a job made is no base: it is told as that job's last checkpoint.
      ...(continues ? { from_checkpoint: settings.base.from } : { model: settings.base.from }),
      training_file: file,
      n_epochs: epochs,
      batch_size: batchSize,
      learning_rate: learningRate,
      warmup_ratio: warmup,
      suffix: mark,
      random_seed: settings.seed,
      training_method: methodOf(order),
      training_type:
        lora === null
          ? { type: 'Full' }
          : { type: 'Lora', lora_r: lora.rank, lora_alpha: lora.alpha, lora_trainable_modules: 'all-linear' },
    };
  },
};

const api: ListedApi = {
  jobs: '/fine-tunes',
  page: '',
  files: {
    place: '/files',
    page: '',
    upload: '/files/upload',
    fields: (name) => ({ purpose: 'fine-tune', file_name: name, file_type: 'jsonl' }),
    ready: null,
  },

  estimate: {
    path: '/fine-tunes/estimate-price',
    request: (request) =>
      Object.fromEntries(Object.entries(request).filter(([member]) => estimatedBy.has(member))) as {
        [member: string]: Json;
      },
    read(answer) {
      const { data: said } = estimateSchema.safeParse(answer);
      if (!said) return null;
      const price = said.estimation_available === false ? null : (said.estimated_total_price ?? null);
      const limit = said.user_limit == null ? '' : `, and the account may spend $${said.user_limit}`;
      return {
        microUsd: price === null ? null : 1e6 * price,
        refusal: said.allowed_to_proceed === false ? `it would cost $${price ?? 'an unknown sum'}${limit}` : null,
      };
    },
  },

  read(answer) {
    const { success, data: job } = jobSchema.safeParse(answer);
    if (!success) return null;
    const events = job.events ?? [];
    const end = ends[job.status] ?? null;
    const steps = events.map(({ total_steps: total }) => total ?? 0);
    const ms = end === null ? Number.NaN : Date.parse(job.updated_at ?? '') - Date.parse(job.created_at ?? '');
    return {
      id: job.id,
      status: job.status,
      end,
      model: end === 'succeeded' ? (job.model_output_name ?? job.output_name ?? null) : null,
      words: events.findLast(({ type }) => type === 'job_error' || type === 'billing_limit')?.message ?? null,
      seconds: Number.isNaN(ms) ? null : ms / 1000,
      trainedTokens: job.token_count ?? null,
      // In billionths of a US dollar: together-py, `finetune_price_to_dollars`.
      costMicroUsd: end === null || job.total_price == null ? null : job.total_price / 1000,
      rows: job.trainingfile_numlines ?? null,
      steps: Math.max(0, ...steps) || null,
    };
  },

  isMarked(answer, mark) {
    const { data: job } = markedSchema.safeParse(answer);
    // Its name for the model is made with the suffix: `<account>/<base>:<suffix>:<job>`.
    return job?.suffix === mark || (job?.model_output_name ?? job?.output_name ?? '').includes(mark);
  },

  metrics: {
    path: '/metrics',
    read(answer) {
      const { data: page } = metricsSchema.safeParse(answer);
      return page === undefined ? null : (page.metrics ?? []).flatMap((metrics) => metricsOf(metrics) ?? []);
    },
  },
};

const estimatedBy: ReadonlySet<string> = new Set([
  ...['training_file', 'model', 'from_checkpoint', 'n_epochs', 'training_method', 'training_type'],
]);

/** `rpo_alpha` weighs the likelihood of the chosen side, as our SFT weight does. */
function methodOf({ settings: { loss, hyperparameters } }: JobOrder): { [member: string]: Json } {
  const { beta, sftWeight } = hyperparameters;
  return loss === 'dpo'
    ? { method: 'dpo', dpo_beta: beta, rpo_alpha: sftWeight }
    : { method: 'sft', train_on_inputs: 'auto' };
}

/** Evaluations have objects of their own. */
function metricsOf(metrics: { [name: string]: unknown }): JobMetrics | null {
  const { global_step: step, ...others } = ofTraining(metrics);
  return step === undefined ? null : { ...others, step };
}

/**
 * What Crux and a trainer agree on: a folder. Crux writes `data/` and `settings.json`, and starts the trainer with the folder's path as its last
 * argument. The trainer writes `metrics.jsonl` while it runs, and `model/` before it ends with exit code 0. It may keep whole checkpoints in
 * `checkpoints/`: started again in the same folder, it goes on from the newest complete one. It ends within 30 s of SIGTERM.
 */

import type { Json } from '../canonical-json.ts';

/** Names in the folder. */
export const folderNames = {
  settings: 'settings.json',
  data: 'data',
  metrics: 'metrics.jsonl',
  model: 'model',
  checkpoints: 'checkpoints',
  /** Forced log-probabilities by the trainer's own forward pass: lines of `CanaryLine`. Optional. */
  canary: 'canary.jsonl',
  /** What the trainer printed; written by Crux. */
  log: 'log.txt',
  /** Which process writes the folder; written by Crux. */
  writer: 'writer.json',
} as const;

/** What the weights are trained to do: prefer (`dpo`), or imitate (`sft`). */
export type Loss = 'dpo' | 'sft';

/** Weights: a folder, or the name of a model on a hub. */
export type Weights = { from: string };

/** The weights that an improvement begins with. */
export type StartWeights = Weights & {
  /** SHA-256 as `hashModel` makes it, in hexadecimal. Absent for a model of a hub, and in improvements from earlier versions. */
  hash?: string;
  /** Of the folder when it was hashed, as `stampModel` makes it. */
  stamp?: string;
};

/** The content of `settings.json`. */
export type TrainingSettings = {
  schemaVersion: 1;
  /** Id of the improve run, and the round, from 1; 0 is the warm start. */
  run: string;
  round: number;
  loss: Loss;
  data: {
    /** Path in the folder, such as `data/pairs.jsonl`. */
    file: string;
    /** Name of the export format that the rows have. */
    format: string;
    /** The trainer must train on exactly so many. */
    rows: number;
  };
  /** Where training begins. */
  base: Weights;
  /** The fixed model of DPO's ratio; null for SFT. */
  reference: Weights | null;
  /** Equal settings, data and seed are to give equal weights, as far as the machine allows. */
  seed: number;
  hyperparameters: Hyperparameters;
  /** Where each hyperparameter comes from, by its name. */
  sources: { [name in keyof Hyperparameters]?: string };
  /** The trainer and its options, as the configuration has them. Not there if an earlier version wrote this. */
  trainer?: ToolSettings;
};

/** A trainer or a server by its kind, with its own settings. */
export type ToolSettings = { kind: string; [name: string]: Json };

export type Hyperparameters = {
  /** Of DPO. */
  beta: number;
  learningRate: number;
  /** Weight of the SFT loss on the chosen side, beside DPO's. */
  sftWeight: number;
  epochs: number;
  /** Rows of one optimizer step. */
  batchSize: number;
  /** Tokens of prompt and answer together; null for no limit. */
  maxLength: number | null;
  /** Share of the steps over which the learning rate rises. */
  warmup: number;
  /** Low-rank adapters instead of all weights; null for all. */
  lora: { rank: number; alpha: number } | null;
  /** Optimizer steps between checkpoints; null for none. */
  checkpointEvery: number | null;
  /** Nats by which the chosen sides may become less probable than at the start before the training is stopped; null for any. */
  collapse: number | null;
};

/**
 * Exit codes by which a trainer says why there is no model. Any other code but 0 is a failure whose reason stands in its output. It ends with 137 if
 * the system kills it for its memory.
 */
export const trainerExits = {
  /** `settings.json` cannot be read, or asks for what this trainer does not have. */
  settings: 2,
  /** The base or the reference is not there, or cannot be loaded. */
  noBase: 3,
  /** It would not train on exactly as many rows as stated. */
  rows: 4,
  /** The tokens to be trained on are not the model's own turns. */
  masks: 5,
  /** The loss is no number. */
  notANumber: 6,
  collapse: 7,
  memory: 8,
  diskFull: 9,
} as const;

/**
 * A line of `metrics.jsonl`. `step` and `total` are optimizer steps. Further members are shown as curves, by their own names, such as
 * `rewards/chosen` (β times the nats by which the chosen sides rose above the reference) and `logps/chosen` (nats of a whole side). A member that is
 * no number is left out; a loss of NaN stops the training.
 */
export type TrainingMetrics = { step: number; total: number; loss?: number; [name: string]: number | undefined };

/** One text whose probability the trainer measured. */
export type CanaryLine = {
  /** Token ids of the prompt, and of the text that is forced after it, without tokens that end a turn: llama.cpp cannot be forced to say these. */
  prompt: number[];
  completion: number[];
  /** Sum of the log-probabilities of the completion's tokens in nats, by the weights before and after the training. */
  before: number;
  after: number;
};

/** Weights that a training made. */
export type TrainedModel = {
  /** Folder of the weights, or the name that a service gave them. */
  root: string;
  /** SHA-256 over the files' names and contents, in hexadecimal; of the name where a service keeps the weights. */
  hash: string;
};

/** A model under the name by which its server knows it. */
export type ServedModel = TrainedModel & {
  /** Never given to other weights: it holds the hash (`crux-<run>-r<round>-<8 hex digits>`), except for the starting policy's own name. */
  name: string;
};

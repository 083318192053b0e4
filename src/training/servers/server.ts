/** The questions about a kind of server that each answers once, in its own file. */
import { z } from 'zod';
import { type Precision, tolerances } from '../../domain/improve/canary.ts';
import type { ServedModel, TrainedModel } from '../../domain/improve/contract.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';
import type { NamedKeys } from '../environment.ts';
import { byEcho, type Forcing } from '../forced-text.ts';

/** Where a model is served, and for whom. */
export type ServingPlace = {
  /** The policy's. */
  endpoint: Endpoint;
  /** Another one of the configuration. @throws CruxError `User.Config` if there is none of that name */
  endpointNamed(name: string): Endpoint;
  /** Folder of all state. */
  home: string;
  store: Pick<Store, 'improvements'>;
  config: NamedKeys;
  /** Id of the improvement. */
  improvement: string;
  log: Log;
};

export type Server<Schema extends z.ZodObject> = {
  /** What a user may write, `kind` included, with ranges and defaults. Plain JSON: it is stored with the improvement. */
  schema: Schema;
  /** Whether the base answers beside an adapter of it: the canary then asks both. */
  keepsBase: boolean;
  /** Whether a restart loses its models, with nobody there who loads them again. */
  forgets: boolean;
  /** Whether it is a service that keeps the weights of its own jobs. There is no folder of them then, and no canary. */
  keepsWeights: boolean;
  /** Whether weights are asked for by their root, which is the service's name for them, not by a name of ours. */
  namesModels: boolean;
  /** The name under which weights are asked for; default: the one that was made for them, as it is. */
  nameFor?(name: string, weights: TrainedModel): string;
  /** Throws `Serve.NotTheModel` if the server says that it does not have a model; default: if it does not list it. */
  requireThere?(endpoint: Endpoint, model: ServedModel, signal: AbortSignal): Promise<unknown>;
  /** How the canary has it say a text. */
  forcing: Forcing;
  /**
   * Serves a model. At the return it answers under its name, which the server lists with its root unless a service keeps the weights, however often this is called, and whatever happened before.
   * @throws CruxError `Serve.PortTaken`, `Serve.Failed`, `Serve.NotTheModel`, `User.Config`, `Model.*`; the signal's reason
   */
  serve(place: ServingPlace, options: z.output<Schema>, model: ServedModel, signal: AbortSignal): Promise<void>;
  /** The improvement is over: what was started for it ends. */
  release(place: ServingPlace, options: z.output<Schema>): Promise<void>;
};

/** Facts of services that keep the weights of their jobs. */
export const ofService = {
  keepsBase: false,
  forgets: false,
  keepsWeights: true,
  forcing: byEcho,
  release: async () => {},
};

/** Types a server; its schema infers the rest. */
export function server<Schema extends z.ZodObject>(facts: Server<Schema>): Server<Schema> {
  return facts;
}

/** Of the weights as they are served: how far the server may be from the trainer's own forward pass. */
export const precision = z.enum(Object.keys(tolerances) as [Precision, ...Precision[]]).default('bfloat16');

/** How long a server may take until it answers, or knows a new model. */
export const startSeconds = z.int().min(1).max(86_400).default(900);

export const port = z.int().min(1).max(65_535).nullable().default(null);

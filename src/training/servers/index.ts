/** Every server, with its facts. A new one gets a file next to this one and a row here. */
import { z } from 'zod';
import type { Precision } from '../../domain/improve/canary.ts';
import type { ServedModel, ToolSettings, TrainedModel } from '../../domain/improve/contract.ts';
import { modelName } from '../../domain/improve/rounds.ts';
import { CruxError } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import type { Forcing } from '../forced-text.ts';
import { command } from './command.ts';
import { crux } from './crux.ts';
import { deployed } from './deployed.ts';
import { fireworks } from './fireworks.ts';
import { hosted } from './hosted.ts';
import { requireListed } from './listed.ts';
import { llamaCpp } from './llama-cpp.ts';
import type { Server, ServingPlace } from './server.ts';
import { sglang } from './sglang.ts';
import { vllm } from './vllm.ts';

export const servers = { crux, command, llamaCpp, vllm, sglang, hosted, deployed, fireworks };

export type ServerKind = keyof typeof servers;

/** Settings of a server, by its kind, as a user writes them. */
export const serverSchema = z.discriminatedUnion('kind', [
  crux.schema,
  command.schema,
  llamaCpp.schema,
  vllm.schema,
  sglang.schema,
  hosted.schema,
  deployed.schema,
  fireworks.schema,
]);

/** A server with its settings. */
export type KnownServer = {
  serve(place: ServingPlace, model: ServedModel, signal: AbortSignal): Promise<void>;
  release(place: ServingPlace): Promise<void>;
  /** Weights of a round under the name by which this server knows them. */
  named(weights: TrainedModel, improvement: string, round: number): ServedModel;
  keepsBase: boolean;
  forgets: boolean;
  keepsWeights: boolean;
  /** @throws CruxError `Serve.NotTheModel` if the server says that it does not have a model */
  requireThere(endpoint: Endpoint, model: ServedModel, signal: AbortSignal): Promise<unknown>;
  /** For the canary: of the weights as they are served, and how the server is asked. */
  precision: Precision | undefined;
  forcing: Forcing;
};

/** @throws CruxError `User.Config` for a kind that there is not, or settings that it does not take */
export function serverOf(settings: ToolSettings): KnownServer {
  const facts = serverNamed(settings.kind);
  const { schema, keepsBase, forgets, keepsWeights, namesModels, forcing, serve, release } = facts;
  const parsed = schema.safeParse(settings);
  if (!parsed.success)
    throw new CruxError('User.Config', `The server is not described well: ${z.prettifyError(parsed.error)}`, {
      remedy: 'docs/serving.md lists the settings of each server.',
    });
  const options = parsed.data;
  const { nameFor = (name: string) => name, requireThere = requireListed } = facts;
  return {
    serve: (place, model, signal) => serve(place, options, model, signal),
    release: (place) => release(place, options),
    named: (weights, improvement, round) => ({
      root: weights.root,
      hash: weights.hash,
      name: namesModels ? weights.root : nameFor(modelName(improvement, round, weights.hash), weights),
    }),
    requireThere,
    keepsBase,
    forgets,
    keepsWeights,
    precision: options.precision as Precision | undefined,
    forcing,
  };
}

function serverNamed(kind: string): Server<z.ZodObject> {
  if (Object.hasOwn(servers, kind)) return servers[kind as ServerKind] as unknown as Server<z.ZodObject>;
  throw new CruxError('User.Config', `There is no server "${kind}".`, {
    remedy: `Known: ${Object.keys(servers).join(', ')}.`,
  });
}

/**
 * The settings of a run that matter only on the wire: no key is made of them, so they may change while the run stands still. If a server
 * refuses a run's requests, the same command continues the run once its settings fit the server.
 */
import { canonicalJson, type Json } from '../canonical-json.ts';
import type { Role, RoleSettings, RunConfig, RunModels } from './run-config.ts';

/** @returns a run's configuration with the wanted dialects, renamed and omitted members and system roles; the same object if nothing differs */
export function withWireSettings(known: RunConfig, wanted: RunConfig): RunConfig {
  const roles = Object.keys(known.models) as Role[];
  const models = Object.fromEntries(
    roles.map((role) => [role, reshaped(known.models[role]!, wanted.models[role] ?? known.models[role]!)]),
  ) as RunModels;
  const isSame = roles.every((role) => models[role] === known.models[role]);
  return isSame ? known : { ...known, models };
}

function reshaped(known: RoleSettings, wanted: RoleSettings): RoleSettings {
  if (canonicalJson(wireOf(known)) === canonicalJson(wireOf(wanted))) return known;
  const { dialect, systemRole, rename, omit } = wireOf(wanted);
  return { ...known, dialect, systemRole, request: { set: known.request?.set ?? {}, rename, omit } };
}

/** A setting that is absent, in runs from before requests could be shaped, equals its default. */
function wireOf({ dialect = 'openai', systemRole = 'keep', request }: RoleSettings) {
  return { dialect, systemRole, rename: request?.rename ?? {}, omit: request?.omit ?? [] } satisfies {
    [name: string]: Json;
  };
}

/** Every method, with its facts. A new one gets a file next to this one and a row here; the compiler asks for the rest. */
import { type AnchorOptions, anchor } from './anchor.ts';
import { type CsoOptions, cso } from './cso.ts';
import { type EtoOptions, eto } from './eto.ts';
import { type EvaluateOptions, evaluate } from './evaluate.ts';
import type { MethodFacts, OtherRole } from './facts.ts';
import { type IprOptions, ipr } from './ipr.ts';
import { type RftOptions, rft } from './rft.ts';
import { type RroOptions, rro } from './rro.ts';
import { type SftOptions, sft } from './sft.ts';
import { type StepDpoOptions, stepDpo } from './step-dpo.ts';

export type {
  AnchorOptions,
  CsoOptions,
  EtoOptions,
  EvaluateOptions,
  IprOptions,
  MethodFacts,
  OtherRole,
  RftOptions,
  RroOptions,
  SftOptions,
  StepDpoOptions,
};

/** Options of each method, by its name. */
export type OptionsOf = {
  cso: CsoOptions;
  rro: RroOptions;
  ipr: IprOptions;
  eto: EtoOptions;
  'step-dpo': StepDpoOptions;
  anchor: AnchorOptions;
  rft: RftOptions;
  sft: SftOptions;
  evaluate: EvaluateOptions;
};

export type MethodName = keyof OptionsOf;

export type MethodOptions = OptionsOf[MethodName];

export const methods: { readonly [name in MethodName]: MethodFacts<OptionsOf[name]> } = {
  cso,
  rro,
  ipr,
  eto,
  'step-dpo': stepDpo,
  anchor,
  rft,
  sft,
  evaluate,
};

/** Methods that give something to learn from, in the order in which they are listed. */
export const methodNames = (Object.keys(methods) as MethodName[]).filter((name) => methods[name].gives !== 'figures');

/** Facts of a method by a name from a store. @throws Error if no method has the name */
export function factsOf(method: string): MethodFacts<never> {
  const facts = findFacts(method);
  if (facts === null) throw new Error(`There is no method "${method}".`);
  return facts;
}

/** Facts of a method by a name from anywhere; null if no method has the name. */
export function findFacts(method: string): MethodFacts<never> | null {
  return Object.hasOwn(methods, method) ? methods[method as MethodName] : null;
}

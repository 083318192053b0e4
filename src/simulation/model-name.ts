import type { SessionRole } from '../domain/ask.ts';
import { RequestError } from './request-error.ts';

/** A simulated model with its settings, as its name spells them. */
export type SimulatedModel =
  | ({
      role: 'policy' | 'expert';
      /** In [0, 1]: the higher, the fewer misconceptions and slips. */
      skill: number;
    } & Quirks)
  | ({
      role: 'prm';
      /** Area under the ROC curve between good and bad actions, in [0.5, 0.99]. */
      auc: number;
    } & Quirks)
  /** Models that an environment's sessions ask. */
  | ({ role: SessionRole } & Quirks);

/** Settings that make a model hard to work with, whatever its role. */
type Quirks = {
  /** Name without settings. Models of one family share their misconceptions, so that a higher skill only removes some. */
  family: string;
  /** Share of answers that follow no format. */
  malformed: number;
  /** Share of answers that are refusals. */
  refuse: number;
  /** Context length in tokens; a longer conversation is rejected. */
  context: number;
};

type Setting = { fallback: number; minimum: number; maximum: number };
const share = (fallback: number): Setting => ({ fallback, minimum: 0, maximum: 1 });
const quirks = {
  malformed: share(0),
  refuse: share(0),
  context: { fallback: Number.MAX_SAFE_INTEGER, minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
};

/** Skill of a model whose name gives none. */
export const usualSkill = { policy: 0.5, expert: 0.9 } as const;

const families: { [family: string]: { role: SimulatedModel['role']; settings: { [name: string]: Setting } } } = {
  'sim-policy': { role: 'policy', settings: { skill: share(usualSkill.policy), ...quirks } },
  'sim-expert': { role: 'expert', settings: { skill: share(usualSkill.expert), ...quirks } },
  'sim-prm': { role: 'prm', settings: { auc: { fallback: 0.85, minimum: 0.5, maximum: 0.99 }, ...quirks } },
  'sim-user': { role: 'user', settings: quirks },
  'sim-grader': { role: 'grader', settings: quirks },
};

/** Names that `GET /v1/models` lists. */
export const modelFamilies: readonly string[] = Object.keys(families);

/**
 * Reads `family@name=value,name=value`.
 * @throws RequestError 404 `model_not_found` for an unknown family or setting, or a value out of range
 */
export function parseModelName(name: string): SimulatedModel {
  const [familyName = '', ...rest] = name.split('@');
  const family = families[familyName];
  if (!family || rest.length > 1) {
    throw notFound(name, `There is no simulated model of that name. There are: ${modelFamilies.join(', ')}.`);
  }
  const values: { [name: string]: number } = {};
  for (const [setting, { fallback }] of Object.entries(family.settings)) values[setting] = fallback;
  for (const part of rest[0] === undefined ? [] : rest[0].split(',')) {
    const [setting = '', text = ''] = part.split('=');
    const range = family.settings[setting];
    if (!range)
      throw notFound(name, `It has no setting "${setting}". It has: ${Object.keys(family.settings).join(', ')}.`);
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= range.minimum && value <= range.maximum)) {
      throw notFound(name, `"${setting}" must be a number from ${range.minimum} to ${range.maximum}, not "${text}".`);
    }
    values[setting] = value;
  }
  return { role: family.role, family: familyName, ...values } as SimulatedModel;
}

function notFound(name: string, reason: string): RequestError {
  return new RequestError(404, 'model_not_found', `The model "${name}" does not exist. ${reason}`);
}

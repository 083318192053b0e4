/** What `crux doctor` finds, for people and programs. */

/**
 * `works`: taken, and it shows. `taken`: not refused, and nothing shows whether it has an effect. `refused`: with the server's words. `ignored`: taken
 * without any effect.
 */
export type Verdict = 'works' | 'taken' | 'refused' | 'ignored';

/** One thing that a model's server can or cannot do. */
export type Capability = {
  name: string;
  verdict: Verdict;
  /** Whether a run works without it; where not, the check fails. */
  level: 'ok' | 'warning' | 'wrong';
  detail: string;
  /** What to do; null where nothing is to be done. */
  remedy: string | null;
};

export type Finding = {
  what: string;
  ok: boolean;
  detail: string;
  remedy: string | null;
  /** Of a model only: what it answered to the first request, cut; null for none. */
  answer?: string | null;
  /** Of a model only. */
  capabilities?: Capability[];
  /** Of policy and expert: messages that the run's format cannot read, of those that were drawn. */
  malformed?: { of: number; count: number };
  /** Of a model only: what the check itself used. */
  used?: { calls: number; tokens: number };
};

export function capability(
  name: string,
  verdict: Verdict,
  detail: string,
  { level = 'ok', remedy = null }: Partial<Pick<Capability, 'level' | 'remedy'>> = {},
): Capability {
  return { name, verdict, level, detail, remedy };
}

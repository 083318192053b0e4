import type { Environment } from '../environments/contract.ts';
import { generalObservationPrefix } from '../environments/formats/agent-format.ts';
import type { Compare } from './recorded-trajectories.ts';

/** Compares observations of any environment: as texts, whether or not the prefix of the text form was recorded with them. */
export function comparingTexts({ textFormat }: Pick<Environment, 'textFormat'>): Compare {
  const prefix = textFormat?.observationPrefix ?? generalObservationPrefix;
  const bare = (text: string) => (text.startsWith(prefix) ? text.slice(prefix.length) : text);
  const packed = (text: string) => bare(text.trim()).replace(/\s+/g, ' ').trim();
  return (ours, recorded) => {
    if (bare(ours) === bare(recorded)) return null;
    const isSame = packed(ours) === packed(recorded);
    return isSame ? { cause: 'white-space', tolerated: true } : { cause: 'other-observation', tolerated: false };
  };
}

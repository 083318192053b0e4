/** What sessions say that a trajectory is worth which a limit ends. */
import { allPlays } from './played.ts';
import { NotChecked, type Studied } from './studied.ts';

export async function checkOutcomes(studied: Studied): Promise<string> {
  let [asked, best] = [0, 0];
  for await (const { traces } of allPlays(studied)) {
    const told = traces.flatMap(({ outcome }) => outcome ?? []);
    asked += told.length;
    best = Math.max(best, ...told.map(({ reward }) => reward));
  }
  if (asked === 0) throw new NotChecked('sessions give none; a trajectory that reaches a limit has reward 0');
  return `asked in ${asked} states, at best ${best}`;
}

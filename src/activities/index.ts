import { auditActivities } from './audit.ts';
import type { ActivityContext } from './context.ts';
import { contrastActivities } from './contrast.ts';
import { demonstrationActivities } from './demonstrations.ts';
import { drawActivities } from './draw.ts';
import { environmentActivities } from './environment.ts';
import { exampleActivities } from './examples.ts';
import { expertActivities } from './expert.ts';
import { firstErrorActivities } from './first-error.ts';
import { heldBack } from './held-back.ts';
import { pairActivities } from './pairs.ts';
import { passRateActivities } from './pass-rate.ts';
import { policyActivities } from './policy.ts';
import { prmActivities } from './prm.ts';
import { rolloutActivities } from './rollout.ts';
import { storeActivities } from './store.ts';

/** Activities that need environments or models: the `agent` role. */
export function agentActivities(context: ActivityContext) {
  return heldBack(context, {
    ...auditActivities(context),
    ...contrastActivities(context),
    ...demonstrationActivities(context),
    ...drawActivities(context),
    ...environmentActivities(context),
    ...firstErrorActivities(context),
    ...passRateActivities(context),
    ...policyActivities(context),
    ...exampleActivities(context),
    ...expertActivities(context),
    ...prmActivities(context),
    ...rolloutActivities(context),
    ...pairActivities(context),
    ...storeActivities(context),
  });
}

export type Activities = ReturnType<typeof agentActivities>;

import { policyActivities } from './acting/policy.ts';
import { auditActivities } from './audit.ts';
import { branchActivities } from './branches.ts';
import { campaignActivities } from './campaign.ts';
import { exampleActivities } from './examples.ts';
import { roundActivities } from './improve/phases.ts';
import { trainingActivities } from './improve/training.ts';
import { anchorActivities } from './methods/anchor.ts';
import { csoActivities } from './methods/cso.ts';
import { passRateActivities } from './methods/cso-pass-rate.ts';
import { etoActivities } from './methods/eto.ts';
import { iprActivities } from './methods/ipr.ts';
import { refineActivities } from './methods/ipr-refine.ts';
import { rroActivities } from './methods/rro.ts';
import { stepDpoActivities } from './methods/step-dpo.ts';
import { firstErrorActivities } from './methods/step-dpo-first-error.ts';
import { pairActivities } from './pairs/pairs.ts';
import { demonstrationActivities } from './roles/demonstrations.ts';
import { expertActivities } from './roles/expert.ts';
import { activities } from './runtime/boundary.ts';
import type { ActivityContext } from './runtime/context.ts';
import { holdBack } from './runtime/held-back.ts';
import { canaryOfRun } from './runtime/sealed-run.ts';
import { slotActivities } from './slots/slots.ts';
import { trajectoryActivities } from './trajectory.ts';

/** Activities that need environments or models: the `agent` role. */
export function agentActivities(context: ActivityContext) {
  const works = {
    ...auditActivities(context),
    ...anchorActivities(context),
    ...csoActivities(context),
    ...demonstrationActivities(context),
    ...trajectoryActivities(context),
    ...etoActivities(context),
    ...exampleActivities(context),
    ...expertActivities(context),
    ...firstErrorActivities(context),
    ...iprActivities(context),
    ...refineActivities(context),
    ...pairActivities(context),
    ...passRateActivities(context),
    ...policyActivities(context),
    ...branchActivities(context),
    ...rroActivities(context),
    ...stepDpoActivities(context),
    ...campaignActivities(context),
    ...slotActivities(context),
  };
  return activities(works, holdBack(context), canaryOfRun(context));
}

export type Activities = ReturnType<typeof agentActivities>;

export { roundActivities, trainingActivities };
export type RoundActivities = ReturnType<typeof roundActivities>;
export type TrainingActivities = ReturnType<typeof trainingActivities>;

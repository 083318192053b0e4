/**
 * All workflows of Crux: what a worker bundles, and how each meets a new build of the code where workers have builds.
 *
 * A trajectory, its branches and an audit stay with the build that began them, also when they continue as new: they last minutes to hours,
 * and hold what changes most, the methods. A campaign lasts for days. Pinned it would hold its build for as long, and hand it to every
 * trajectory that it starts, so that no deployment would ever reach a run under way. So it says nothing, moves with its next workflow task
 * (worker.ts), and its code must replay what older code began (tests/histories).
 */
import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { audit } from './audit.ts';
import { branch } from './branch.ts';
import { campaign } from './campaign.ts';
import { trajectory } from './trajectory.ts';

setWorkflowOptions(pinnedToItsBuild, trajectory);
setWorkflowOptions(pinnedToItsBuild, branch);
setWorkflowOptions(pinnedToItsBuild, audit);

/** Servers refuse the work of a worker that has no build and says what builds are to do. */
function pinnedToItsBuild() {
  return workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'PINNED' as const } : {};
}

export { audit, branch, campaign, trajectory };

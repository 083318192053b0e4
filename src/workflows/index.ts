/**
 * All workflows of Crux: what a worker bundles, and how each meets a new build of the code where workers have builds.
 *
 * A trajectory, its branches and an audit stay with the build that began them, also when they continue as new. They last minutes to hours,
 * and hold what changes most, the methods. A campaign lasts for days. If it were pinned, it would hold its build for as long and pass it to
 * every trajectory that it starts, so no deployment would ever reach a run in progress. So it declares nothing and moves with its next
 * workflow task (worker.ts), and so does an improvement. Their code must replay what older code began (tests/histories).
 */
import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { audit } from './audit.ts';
import { branch } from './branch.ts';
import { campaign } from './campaign.ts';
import { improve } from './improve.ts';
import { trajectory } from './trajectory.ts';

setWorkflowOptions(pinnedToItsBuild, trajectory);
setWorkflowOptions(pinnedToItsBuild, branch);
setWorkflowOptions(pinnedToItsBuild, audit);

/** Servers refuse the work of a worker that has no build but declares how builds behave. */
function pinnedToItsBuild() {
  return workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'PINNED' as const } : {};
}

export { audit, branch, campaign, improve, trajectory };

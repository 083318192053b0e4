/** All workflows of Crux: what a worker bundles. */
export { audit } from './audit.ts';
export { branch } from './branch.ts';
export { campaign } from './campaign.ts';
export { trajectory } from './trajectory.ts';

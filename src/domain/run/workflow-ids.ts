/** All workflow ids, readable and derived from the parent's, so that a repeated start finds its own work. At most 255 characters. */

/** A task as it appears in ids and search attributes: its own id if that is plain, else a slug of it and 8 characters of its hash. */
export function taskSlug(taskId: string, hash: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(taskId)) return taskId;
  const slug = taskId.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48);
  return `${slug}-${hash.slice(0, 8)}`;
}

export function trajectoryWorkflowId(runId: string, slug: string, sample: number): string {
  return `${runId}/${slug}/${sample}`;
}

export function branchWorkflowId(
  trajectoryWorkflow: string,
  branch: { step: number; candidateId: string; purpose: string; rollout: number },
): string {
  return `${trajectoryWorkflow}/step-${branch.step}/${branch.candidateId.slice(0, 12)}/${branch.purpose}-${branch.rollout}`;
}

/** Run ids become parts of workflow ids and file names. */
export function isRunId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(text);
}

/** The id of a campaign of an improvement (improve/rounds.ts). */
export function isRoundId(text: string): boolean {
  const [improvement, ...phase] = text.split('/');
  return isRunId(improvement!) && new RegExp(`^${roundPath}$`).test(phase.join('/'));
}

/** Whether a campaign of an improvement asks what a round has trained. */
export function isCandidateEvaluation(runId: string): boolean {
  return isRoundId(runId) && /\/round-[1-9]\d*\/evaluate$/.test(runId);
}

/** What follows the id of an improvement in those of its campaigns, as a part of a regular expression. */
export const roundPath = String.raw`(?:round-\d+/(?:collect|evaluate)|test/(?:start|final))`;

export function auditWorkflowId(runId: string): string {
  return `${runId}/audit`;
}

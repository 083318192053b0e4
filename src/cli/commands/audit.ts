import { CruxError } from '../../errors.ts';
import { type AuditRequest, launchAudit, prepareAudit, restAudit } from '../../start/audits.ts';
import { checkKeys } from '../../start/keys.ts';
import { type AuditedPair, type AuditView, auditView } from '../../views/audit.ts';
import { configOf, type GlobalOptions, printResult, withReadingStore } from '../setting.ts';
import { type CeilingOptions, ceilingsGiven } from '../terminal/ceilings.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { acceptedText, qualityText } from '../terminal/summary.ts';
import { count, dollars, orUnknown, plural, table } from '../terminal/text.ts';
import { ofRun, workUntil } from './work.ts';

type Given = CeilingOptions & { rollouts?: number; sample?: number };

const pairsShown = 20;

export async function audit(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  const config = await configOf(options);
  await withReadingStore(options, runId, async (store) => {
    // Reference rollouts are the policy's.
    checkKeys({ endpoints: config.endpoints, models: (await store.runs.get(runId)).config.models }, ['policy']);
    const run = await prepareAudit(store, runId, requestFrom(given));
    if (!config.environments.some(({ name }) => name === run.environment)) {
      throw new CruxError('User.Config', `The configuration has no environment ${run.environment}.`, {
        remedy: 'Name the configuration that the run was made with, with --config.',
      });
    }
    const { result, otherRuns } = await workUntil(options, config, store, {
      name: `The audit of run ${runId}`,
      ...ofRun(store, run),
      command: `crux audit ${runId}`,
      work: (client) => launchAudit(client, store, run),
      rest: async (client) => {
        if (client !== null) await restAudit(client, runId);
        return true;
      },
      again: `crux audit ${runId} …  (same options)`,
      halt: null,
    });
    const view = (await auditView(store, runId))!;
    printResult(options, { ...result, ...view, ...(otherRuns.length > 0 && { otherRuns }) }, () => auditText(view));
    if (result.state !== 'finished') throw new CommandFailed(`The audit ended early: ${result.state}.`, 3);
  });
}

function requestFrom({ rollouts, sample, ...ceilings }: Given): AuditRequest {
  return {
    ...(rollouts !== undefined && { rollouts }),
    ...(sample !== undefined && { sample }),
    ceilings: ceilingsGiven(ceilings),
  };
}

function auditText(view: AuditView): string {
  const { pairs, accepted, perCorrectPair, ledger, settings, judged } = view;
  const calls = ledger.reduce((sum, line) => sum + line.calls, 0);
  const lines: [string, string][] = [
    ['Audit', `${view.runId} · ${settings.rollouts} reference rollouts of each action, ${count(calls)} calls`],
    ['Pairs', `${count(pairs.audited)} audited of ${count(pairs.total)}, in ${plural(pairs.groups, 'group')}`],
    ['Pair quality', qualityText(view)],
    ...(accepted === null ? [] : [['Accepted actions', acceptedText(accepted)] as [string, string]]),
    ...(perCorrectPair === null
      ? []
      : [
          [
            'For a correct pair',
            `${orUnknown(perCorrectPair.calls, 1)} calls, ${orUnknown(perCorrectPair.rollouts, 1)} rollouts, ${orUnknown(perCorrectPair.tokens)} tokens, ${dollars(perCorrectPair.costMicroUsd)}`,
          ] as [string, string],
        ]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const worst = judged.toSorted((one, other) => one.difference - other.difference).slice(0, pairsShown);
  return [
    lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n'),
    ...(worst.length === 0 ? [] : [pairTable(worst)]),
    ...(worst.length < judged.length
      ? [`The ${pairsShown} worst of ${count(judged.length)} pairs; all with --json.`]
      : []),
  ].join('\n\n');
}

function pairTable(pairs: AuditedPair[]): string {
  return table(
    ['pair', 'task', 'step', 'chosen', 'rejected', 'difference', '95 %', 'quality'],
    pairs.map(({ pairId, taskId, step, chosen, rejected, difference, interval, quality }) => [
      pairId.slice(0, 12),
      taskId,
      step,
      chosen.mean.toFixed(2),
      rejected.mean.toFixed(2),
      difference.toFixed(2),
      `${interval.lower.toFixed(2)} to ${interval.upper.toFixed(2)}`,
      quality,
    ]),
  );
}

/** An improvement in lines. */

import { leastGroupsToDecide } from '../../domain/improve/decide.ts';
import { samplesToSee, tasksToSee, visibleBefore } from '../../domain/improve/samples.ts';
import type { ImproveSettings } from '../../domain/improve/settings.ts';
import { shareText } from '../../report/evaluation-text.ts';
import {
  decisionText,
  flagsText,
  foundText,
  lintOf,
  lossTexts,
  roundName,
  rowsText,
  settingChangeText,
  stateText,
  stillText,
  testText,
} from '../../report/improvement-text.ts';
import type { Store } from '../../store/store.ts';
import type { ImprovementView } from '../../views/improvement.ts';
import { improvementPlace } from '../../views/improvement-place.ts';
import { fitted, type ReadLine } from './progress.ts';
import { dollars, duration, plural, table, waitingText } from './text.ts';

/** What the validation can show, said before anything is paid for. */
export function validationText({ tasks, samples, visible, validationGroups, promote }: ImproveSettings): string {
  const { validation: least, mostValidation: most } = samples;
  const count = tasks.validation.length;
  const taken = samplesToSee(visible, count, { least, most });
  const seen = visibleBefore(count, taken);
  const points = (share: number) => `${(100 * share).toFixed(0)} points`;
  const what = `Validation: ${plural(count, 'task')} in ${plural(validationGroups, 'group')}, ${plural(taken, 'sample')} each: it can show a difference of about ${points(seen)}`;
  const wanted =
    seen > visible ? `; to show ${points(visible)} it takes about ${tasksToSee(visible, taken)} tasks` : '';
  if (promote === 'always' || validationGroups >= leastGroupsToDecide) return `${what}${wanted}.`;
  return `${what}${wanted}. That is too few groups to decide: the policy will stay as it is. Give ${leastGroupsToDecide} groups or more, or set improve.promote to 'always'.`;
}

/** The progress of an improvement. */
export function lineOfImprovement(store: Store, id: string): ReadLine {
  return async (elapsedMs, width) => {
    const place = await improvementPlace(store, await store.improvements.get(id));
    const { state, round, rounds, phase, progress } = place;
    const waits = waitsText(id, place);
    const parts = [
      round === 0 ? `start, ${rounds} rounds` : `round ${round}/${rounds}`,
      ...(state === 'running' ? [] : [state]),
      ...(phase === null ? [] : [phase]),
      ...(progress === null ? [] : [progress]),
      ...(waits === null ? [] : [waits]),
      duration(elapsedMs),
    ];
    return fitted(parts, width);
  };
}

/** Why it stands still or is slow; null if nothing is known to hold it up. */
export function waitsText(id: string, place: Parameters<typeof stillText>[1]): string | null {
  const still = stillText(id, place);
  if (still !== null) return still;
  const waitingFor = place.campaign?.waitingFor ?? [];
  return waitingFor.length === 0 ? null : `waits ${waitingText(waitingFor)}`;
}

/** Everything that a person wants to know at the end. */
export function improvementText(view: ImprovementView): string {
  const { id, at, method, preset, environment, tasks, policy, history, changes, trainedOn, notes } = view;
  const tested = testText(view);
  const waits = at && waitsText(id, { ...view, ...at });
  const facts: [string, string][] = [
    ['Improvement', `${id} · ${method} (${preset}) on ${environment}, seed ${view.seed}`],
    ['State', stateText(view)],
    ...(waits === null ? [] : [['', waits] as [string, string]]),
    ['Tasks', `${tasks.collect} to learn from, ${tasks.validation} to validate, ${tasks.test} to test`],
    ['Policy', `${policy.name} (${roundName(policy.round)})${policy.root === '' ? '' : `, ${policy.root}`}`],
    ...(tested === null ? [] : [['Test', tested] as [string, string]]),
    [
      'Cost',
      `${view.calls} calls, ${dollars(view.costMicroUsd)}, ${duration((view.finishedAt ?? Date.now()) - view.createdAt)}`,
    ],
    ['Seen', trainedOn === null ? 'unknown: nobody said what the first model was trained on' : trainedOn.join(',')],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const rounds = history.map((round) => [
    roundName(round.round),
    foundText(round),
    rowsText(round),
    round.trained === null ? '–' : `${round.trained.steps} steps`,
    round.evaluated === null ? '–' : shareText(round.evaluated.success),
    round.decision === null ? '' : decisionText(round.decision),
  ]);
  const lost = lossTexts(view);
  const fallen = history.flatMap(({ round, families }) =>
    families
      .filter(({ hasFallen }) => hasFallen)
      .map(
        ({ family, before, after }) =>
          `${roundName(round)}: ${family} fell from ${(100 * before).toFixed(0)} to ${(100 * after).toFixed(0)} %`,
      ),
  );
  const flagged = history.flatMap((round) =>
    flagsText(round) === '' ? [] : [`${roundName(round.round)}: ${flagsText(round)}`],
  );
  const linted = history.flatMap((round) =>
    lintOf(round).map(
      ({ rule, effect, count, reason }) => `${roundName(round.round)}: ${effect} ${count} × ${rule}: ${reason}`,
    ),
  );
  return [
    facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n'),
    table(['', 'found', 'rows', 'training', 'success in validation', 'decision'], rounds),
    ...(changes.length === 0 ? [] : [`Changed settings\n${changes.map(settingChangeText).join('\n')}`]),
    ...(linted.length === 0 ? [] : [`Lint of the rows\n${linted.join('\n')}`]),
    ...(lost.length === 0 ? [] : [`Lost outcomes\n${lost.join('\n')}`]),
    ...(flagged.length === 0 ? [] : [`Flags of pairs\n${flagged.join('\n')}`]),
    ...(fallen.length === 0 ? [] : [`Families of tasks that fell\n${fallen.join('\n')}`]),
    ...notes,
  ].join('\n\n');
}

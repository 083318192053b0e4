import type { LintReport } from './lint-report.ts';
import type { TrainingAdvice } from './training-advice.ts';

/** `training.md` beside an export: what the files are, what to train with, what to check. */
export function trainingPage(
  report: LintReport,
  advice: TrainingAdvice,
  files: readonly { name: string; meaning: string }[],
): string {
  const settings = Object.entries(advice.settings).map(
    ([name, { value, source }]) =>
      `| \`${name}\` | ${value === null ? 'unknown' : JSON.stringify(value)} | ${source} |`,
  );
  const problems = report.rules.filter(({ effect }) => effect !== 'note' && effect !== 'rewritten');
  return [
    `# Preference pairs for ${report.format}`,
    '',
    `${report.rows} rows of ${report.pairs} pairs. Written by Crux.`,
    '',
    ...files.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`),
    '',
    problems.length === 0
      ? 'The lint found nothing that the target would drop, cut or damage.'
      : `The lint found: ${problems.map(({ rule, effect, count }) => `${count} × \`${rule}\` (${effect})`).join(', ')}. See \`lint.json\`.`,
    '',
    '## Settings to start from',
    '',
    'Single-action DPO with trajectory-level settings collapses (ETO, table 4). None of these is called safe.',
    '',
    '| setting | value | source |',
    '|---|---|---|',
    ...settings,
    '',
    ...advice.checks.map((check) => `- ${check}`),
    '',
    ...(advice.example ? [`\`\`\`${advice.example.language}`, advice.example.text.trimEnd(), '```', ''] : []),
  ].join('\n');
}

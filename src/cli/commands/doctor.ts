/** Tries everything that a run needs, one check after another, and says what to do if one fails. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CruxConfig, loadConfig, storeLocation } from '../../config/config.ts';
import type { Determinism } from '../../doctor/determinism.ts';
import type { Capability, Finding } from '../../doctor/finding.ts';
import { checkModels } from '../../doctor/models.ts';
import { check, checkEnvironment, checkStore, checkTemporal, chosenEnvironment } from '../../doctor/surroundings.ts';
import type { Environment } from '../../environments/contract.ts';
import { openStore } from '../../store/store.ts';
import { type GlobalOptions, homeOf, printResult, say } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { plural } from '../terminal/text.ts';

export type DoctorOptions = { env?: string; samples: number; determinism?: boolean };

export async function doctor(
  options: GlobalOptions,
  { env, samples, determinism = false }: DoctorOptions,
): Promise<void> {
  const home = homeOf(options);
  const findings: Finding[] = [await check('Node', async () => `${process.version} (${process.execPath})`)];
  const { finding, config } = await checkConfiguration(options);
  findings.push(finding);
  // Checked before any question is asked: a wrong name would cost calls.
  const environment = config && chosenEnvironment(config, env);
  const { finding: storeFinding, store } = await checkStore(() => openStore(storeLocation(config, home)));
  const codecKeyEnv = config?.temporal.codecKeyEnv;
  findings.push(storeFinding, await checkTemporal(home, { codecKeyEnv, report: say(options) }));
  let measured: Determinism | null = null;
  try {
    const environments = new Map<Environment, Finding>();
    for (const each of config?.environments ?? []) environments.set(each, await checkEnvironment(each));
    findings.push(...environments.values());
    if (config && environment && environments.get(environment)!.ok) {
      const probe = { samples: Math.max(1, samples), determinism, report: say(options) };
      const models = await checkModels(config, environment, store, probe);
      findings.push(...models.findings);
      measured = models.determinism;
    }
  } finally {
    for (const each of config?.environments ?? []) await each.close?.();
    await store?.close();
  }
  // The JSON output stays a list of findings; the measurement, if asked for, is one more finding.
  const printed = measured === null ? findings : [...findings, determinismFinding(measured)];
  printResult(options, printed, () => printed.map(findingText).join('\n'));
  requirePassed(findings);
}

/** @throws CommandFailed when any check failed */
export function requirePassed(findings: readonly Finding[]): void {
  const wrong = findings.filter(({ ok }) => !ok);
  if (wrong.length > 0) throw new CommandFailed(`${wrong.length} of ${findings.length} checks failed.`, 5);
}

async function checkConfiguration(options: GlobalOptions): Promise<{ finding: Finding; config: CruxConfig | null }> {
  const file = resolve(options.config);
  if (!existsSync(file)) {
    const remedy = 'Make one with `crux init`; `crux demo` needs none.';
    return {
      finding: { what: 'configuration', ok: false, detail: `There is no ${options.config}.`, remedy },
      config: null,
    };
  }
  let config: CruxConfig | null = null;
  const finding = await check('configuration', async () => {
    config = await loadConfig(options.config);
    return file;
  });
  return { finding, config };
}

function determinismFinding({
  requests,
  equalAlone,
  equalTogether,
}: Determinism): Finding & { determinism: Determinism } {
  const isAlike = equalAlone === requests && equalTogether === requests;
  return {
    what: 'determinism of model policy',
    ok: true,
    detail: `of ${requests} requests, ${equalAlone} got the same text alone twice, ${equalTogether} alone and together`,
    remedy: isAlike
      ? null
      : 'Equal seeds do not give equal runs with this server; answers that are in the journal are still read again.',
    determinism: { role: 'policy', requests, equalAlone, equalTogether },
  };
}

export function findingText({ what, ok, detail, remedy, answer, capabilities = [], used }: Finding): string {
  const hasWarning = capabilities.some(({ level }) => level === 'warning');
  return [
    `${ok ? (hasWarning ? '!' : '✓') : '✗'} ${what}: ${plain(detail)}`,
    ...(capabilities.length === 0 && remedy ? [`    ${remedy}`] : []),
    ...(answer == null ? [] : [`    answer  ${plain(JSON.stringify(answer))}`]),
    ...capabilities.flatMap(capabilityLines),
    ...(used
      ? [`    (${plural(used.calls, 'call')}, ${used.tokens.toLocaleString('en-US')} tokens; they count for no run)`]
      : []),
  ].join('\n');
}

function capabilityLines({ name, verdict, level, detail, remedy }: Capability): string[] {
  const sign = { ok: '✓', warning: '!', wrong: '✗' }[level];
  return [`  ${sign} ${name} ${verdict}: ${plain(detail)}`, ...(remedy === null ? [] : [`      ${remedy}`])];
}

/** Servers may answer with HTML pages. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ');
}

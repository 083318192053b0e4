/** Asks each model of a configuration what runs ask it. Models that it leaves out are named, with the methods that ask them. */
import { type CruxConfig, givenModels, monteCarloOf } from '../config/config.ts';
import { sessionRoles } from '../domain/ask.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { methods, type OtherRole } from '../domain/methods/index.ts';
import { type MonteCarlo, monteCarloText } from '../domain/monte-carlo.ts';
import { modelOf, type Role, type RoleSettings } from '../domain/run/run-config.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError, errorText } from '../errors.ts';
import { Endpoint } from '../models/endpoint.ts';
import { JsonLadder } from '../models/requests/json-ladder.ts';
import { configOfRun } from '../start/configure.ts';
import { configuredModels, exampleModels, modelsOfRun } from '../start/models.ts';
import type { Store } from '../store/store.ts';
import { Asking, type Pace, usualPace } from './asking.ts';
import { type Determinism, measureDeterminism } from './determinism.ts';
import type { Finding } from './finding.ts';
import { type Probed, type ProbeOptions, probeAgent, probePrm, probeSessionModel } from './probe-role.ts';
import { probeScoring } from './probe-scoring.ts';
import { Questions } from './questions.ts';

export type CheckedModels = { findings: Finding[]; determinism: Determinism | null };

/**
 * @param store keeps which form of JSON answers a model takes; null without a store
 * @throws CruxError `User.NotFound` if the environment has no tasks
 */
export async function checkModels(
  config: CruxConfig,
  environment: Environment,
  store: Store | null,
  given: Omit<ProbeOptions, 'temperatures'> & { determinism: boolean; pace?: Pace },
): Promise<CheckedModels> {
  const options = { ...given, temperatures: { eto: config.eto.temperature, ipr: config.ipr.temperature } };
  const request = { method: 'cso', split: 'train', trajectories: 'policy' } as const;
  const run = configOfRun(config, environment, request, configuredModels(config));
  const questions = await Questions.of(environment, run);
  // Servers change, so what was refused once is tried again.
  const ladder = new JsonLadder(store?.endpointFacts ?? nowhere, { anew: true });
  const asking = (role: Role) => {
    const settings = modelOf(run, role);
    return new Asking(
      new Endpoint(settings.endpoint, config.endpoints[settings.endpoint]!),
      settings,
      givenModels(config)[role]!.servedAs,
      { ladder, pace: given.pace ?? usualPace, tell: given.report },
    );
  };
  const ifGiven = async (role: OtherRole, probe: () => Promise<Probed>): Promise<Probed> =>
    run.models[role] ? orBroken(role, probe) : { finding: leftOut(role, run.models.policy), action: null };
  const policy = await orBroken('policy', () => probeAgent('policy', asking('policy'), questions, options));
  const expert = await ifGiven('expert', () => probeAgent('expert', asking('expert'), questions, options));
  const action: AssistantMessage = policy.action ?? expert.action ?? (await questions.anyAction());
  const judges = config.stepDpo.select === 'first-error';
  const { report } = options;
  const monteCarlo = monteCarloOf(config);
  const prm = monteCarlo
    ? { finding: ofRollouts(monteCarlo), action: null }
    : await ifGiven('prm', async () => ({
        finding: run.models.prm?.scoring
          ? await probeScoring(asking('prm'), run.models.prm.scoring, questions, action, report)
          : await probePrm(asking('prm'), questions, action, { judges, report }),
        action: null,
      }));
  const ofSessions: Finding[] = [];
  for (const role of sessionRoles.filter((role) => run.models[role])) {
    const probe = async () => ({
      finding: await probeSessionModel(role, asking(role), questions, report),
      action: null,
    });
    ofSessions.push((await orBroken(role, probe)).finding);
  }
  const findings = [policy.finding, expert.finding, prm.finding, ...ofSessions, ...missingModels(config, environment)];
  if (!options.determinism) return { findings, determinism: null };
  const unmeasured = (why: string): CheckedModels => {
    const detail = `It could not be measured: ${why}`;
    return { findings: [...findings, { what: 'determinism', ok: false, detail, remedy: null }], determinism: null };
  };
  // A model that has not answered once is not waited for again.
  if (policy.finding.answer == null) return unmeasured(policy.finding.detail);
  try {
    return { findings, determinism: await measureDeterminism(asking('policy'), questions, report) };
  } catch (error) {
    return unmeasured(errorText(error));
  }
}

/** Of a model that methods ask: the configuration may leave it out. */
function leftOut(role: OtherRole, policy: RoleSettings): Finding {
  const askedBy = Object.entries(methods).flatMap(([name, { asks }]) => (role in asks ? [name] : []));
  return {
    what: `model ${role}`,
    ok: true,
    detail: `not configured, and asked by ${askedBy.join(', ')}: a run of them is refused unless its options do without`,
    remedy: exampleModels([role], policy),
  };
}

/** The policy itself gives the scores. */
function ofRollouts(monteCarlo: MonteCarlo): Finding {
  const detail = `${monteCarloText(monteCarlo)} of the policy after each action: no other model is asked`;
  return { what: 'model prm', ok: true, detail, remedy: null };
}

/** Models that the sessions of an environment ask, and the configuration lacks. */
function missingModels(config: CruxConfig, environment: Environment): Finding[] {
  try {
    modelsOfRun(config, environment);
    return [];
  } catch (error) {
    if (!(error instanceof CruxError)) throw error;
    return [{ what: 'models of sessions', ok: false, detail: error.message, remedy: error.remedy ?? null }];
  }
}

/** A missing key or an environment that breaks is a finding about the role. */
async function orBroken(role: Role, probe: () => Promise<Probed>): Promise<Probed> {
  try {
    return await probe();
  } catch (error) {
    const remedy = error instanceof CruxError ? (error.remedy ?? null) : null;
    return { finding: { what: `model ${role}`, ok: false, detail: errorText(error), remedy }, action: null };
  }
}

const nowhere = { find: async () => null, remember: async () => {} };

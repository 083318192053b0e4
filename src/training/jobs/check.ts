/** What a training at a service cannot do is found before an improvement begins. */
import { lossOf, methodsOf } from '../../domain/improve/plan.ts';
import type { ImproveSettings } from '../../domain/improve/settings.ts';
import { methods } from '../../domain/methods/index.ts';
import { CruxError } from '../../errors.ts';
import { usualBeta } from '../hyperparameters.ts';
import { type ServerKind, servers } from '../servers/index.ts';
import type { FineTuningJobsOptions } from '../trainers/fine-tuning-jobs.ts';
import { hostedTrainer } from '../trainers/index.ts';
import type { JobDialect } from './dialect.ts';
import { jobDialects } from './dialects.ts';

type Checked = Pick<ImproveSettings, 'trainer' | 'server' | 'method' | 'hyperparameters'>;

type Endpoints = { [name: string]: { baseUrl: string } };

/**
 * @param endpoints of the configuration
 * @throws CruxError `User.Config` for a server that cannot have what the trainer makes, an endpoint that is not there, or something that the service does
 * not take
 */
export function checkTrainer(settings: Checked, endpoints: Endpoints): void {
  const hosted = hostedTrainer(settings.trainer);
  checkServer(settings, hosted);
  const { endpoint: ofServer } = settings.server;
  if (typeof ofServer === 'string') addressOf('server', ofServer, endpoints);
  if (hosted === null) return;
  const dialect: JobDialect = jobDialects[hosted.dialect];
  const service = `A job of the dialect ${hosted.dialect}`;
  checkAddress(addressOf('trainer', hosted.endpoint, endpoints), hosted, dialect);
  checkTaken(settings, dialect, service);
  checkBeta(settings, dialect, service);
  if (hosted.learningRateMultiplier !== null && !dialect.hasMultiplier) {
    throw new CruxError('User.Config', `${service} takes no learningRateMultiplier.`, {
      remedy: 'Give the rate itself: improve.training.learningRate.',
    });
  }
  checkMethod(settings, service);
}

function checkServer({ trainer, server }: Checked, hosted: FineTuningJobsOptions | null): void {
  const kind = server.kind as ServerKind;
  const fitting: readonly string[] = hosted === null ? atHome : jobDialects[hosted.dialect].servedBy;
  if (fitting.includes(kind)) return;
  const what = hosted === null ? 'leaves its model in a folder' : 'leaves its model with the service';
  const where = servers[kind].keepsWeights === (hosted !== null) ? 'does not answer with it' : 'does not find it';
  const whose = hosted === null ? trainer.kind : `${trainer.kind} (${hosted.dialect})`;
  throw new CruxError('User.Config', `The trainer ${whose} ${what}, where the server ${kind} ${where}.`, {
    remedy: `Set improve.server to one of: ${fitting.join(', ')}.`,
  });
}

/** Servers of weights in a folder. */
const atHome = (Object.keys(servers) as ServerKind[]).filter((kind) => !servers[kind].keepsWeights);

function addressOf(whose: 'trainer' | 'server', name: string, endpoints: Endpoints): string {
  if (Object.hasOwn(endpoints, name)) return endpoints[name]!.baseUrl;
  throw new CruxError('User.Config', `improve.${whose}.endpoint is "${name}", which \`endpoints\` does not have.`, {
    remedy: `Known endpoints: ${Object.keys(endpoints).join(', ') || 'none'}.`,
  });
}

function checkAddress(baseUrl: string, hosted: FineTuningJobsOptions, { address }: JobDialect): void {
  if (address === null || address.form.test(new URL(baseUrl).pathname)) return;
  const what = `endpoints.${hosted.endpoint}.baseUrl does not lead to the jobs of the dialect ${hosted.dialect}.`;
  throw new CruxError('User.Config', what, { remedy: `It looks like ${address.example}.` });
}

function checkTaken({ hyperparameters }: Checked, { takes }: JobDialect, service: string): void {
  for (const loss of ['dpo', 'sft'] as const) {
    const given = hyperparameters[loss];
    const foreign = Object.keys(given).filter((name) => !(takes[loss] as readonly string[]).includes(name));
    if (foreign.length > 0) {
      const names = foreign.map((name) => `improve.${loss === 'dpo' ? 'training' : 'sftTraining'}.${name}`).join(', ');
      throw new CruxError('User.Config', `${service} takes no ${names}.`, {
        remedy: `It takes ${takes[loss].join(', ')}. Leave out the others.`,
      });
    }
    if (given.epochs !== undefined && !Number.isInteger(given.epochs)) {
      throw new CruxError('User.Config', `${service} takes whole epochs, not ${given.epochs}.`, {
        remedy: 'Give a whole number.',
      });
    }
  }
}

function checkBeta(settings: Checked, { betaBelow }: JobDialect, service: string): void {
  const { beta: given } = settings.hyperparameters.dpo;
  for (const method of methodsOf(settings).filter((name) => lossOf(name) === 'dpo')) {
    const beta = given ?? usualBeta(method);
    if (betaBelow === null || beta < betaBelow) continue;
    const whose = given === undefined ? `which ${method} has unless you give another` : 'as improve.training.beta is';
    throw new CruxError('User.Config', `${service} takes a β below ${betaBelow}, not ${beta}, ${whose}.`, {
      remedy: 'Give a smaller one as improve.training.beta.',
    });
  }
}

/** A service takes pairs of single messages. */
function checkMethod(settings: Checked, service: string): void {
  const method = methodsOf(settings).find((name) => methods[name].exportFormat === 'crux-masked');
  if (method === undefined) return;
  throw new CruxError('User.Config', `${service} takes pairs of single messages; those of ${method} have several.`, {
    remedy: 'Choose another method, or a trainer on a machine of your own.',
  });
}

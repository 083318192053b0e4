/** What a training at a service cannot do is found before an improvement begins. */
import { methodsOf } from '../../domain/improve/plan.ts';
import type { ImproveSettings } from '../../domain/improve/settings.ts';
import { methods } from '../../domain/methods/index.ts';
import { CruxError } from '../../errors.ts';
import { servers } from '../servers/index.ts';
import { hostedTrainer } from '../trainers/index.ts';
import { jobDialects } from './dialects.ts';

type Checked = Pick<ImproveSettings, 'trainer' | 'server' | 'method' | 'hyperparameters'>;

/**
 * @param endpoints of the configuration
 * @throws CruxError `User.Config` for a server that cannot have what the trainer makes, an endpoint that is not there, or something that the service does
 * not take
 */
export function checkTrainer(settings: Checked, endpoints: { [name: string]: unknown }): void {
  const hosted = hostedTrainer(settings.trainer);
  checkServer(settings, hosted !== null);
  if (hosted === null) return;
  if (!Object.hasOwn(endpoints, hosted.endpoint)) {
    throw new CruxError(
      'User.Config',
      `improve.trainer.endpoint is "${hosted.endpoint}", which \`endpoints\` does not have.`,
      {
        remedy: `Known endpoints: ${Object.keys(endpoints).join(', ') || 'none'}.`,
      },
    );
  }
  const { takes, hasMultiplier } = jobDialects[hosted.dialect];
  const service = `A job of the dialect ${hosted.dialect}`;
  for (const loss of ['dpo', 'sft'] as const) {
    const given = settings.hyperparameters[loss];
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
  if (hosted.learningRateMultiplier !== null && !hasMultiplier) {
    throw new CruxError('User.Config', `${service} takes no learningRateMultiplier.`, {
      remedy: 'Give the rate itself: improve.training.learningRate.',
    });
  }
  checkMethod(settings, service);
}

function checkServer({ trainer, server }: Checked, isHosted: boolean): void {
  if (servers[server.kind as keyof typeof servers].namesModels === isHosted) return;
  const what = isHosted ? 'leaves its model with the service' : 'leaves its model in a folder';
  throw new CruxError(
    'User.Config',
    `The trainer ${trainer.kind} ${what}, where the server ${server.kind} does not find it.`,
    {
      remedy: isHosted ? 'Set improve.server to hosted().' : 'hosted() is for fineTuningJobs; choose another server.',
    },
  );
}

/** A service takes pairs of single messages. */
function checkMethod(settings: Checked, service: string): void {
  const method = methodsOf(settings).find((name) => methods[name].exportFormat === 'crux-masked');
  if (method === undefined) return;
  throw new CruxError('User.Config', `${service} takes pairs of single messages; those of ${method} have several.`, {
    remedy: 'Choose another method, or a trainer on a machine of your own.',
  });
}

import { z } from 'zod';
import type { CsoOptions } from '../../domain/methods/index.ts';
import { CruxError } from '../../errors.ts';
import { alternativeSettings } from './alternatives.ts';
import { balance, balanceSettings } from './balance.ts';
import { methodSettings } from './settings.ts';
import { checkAcceptable, verificationSettings } from './verification.ts';

const schema = z
  .strictObject({
    ...alternativeSettings,
    gammaLow: z.number().min(0).max(1).default(0.45),
    gammaHigh: z.number().min(0).max(1).default(0.65),
    gate: z.boolean().default(true),
    verify: z.boolean().default(true),
    pairSources: z.enum(['expert/policy', 'expert/expert', 'policy/policy', 'policy/expert']).default('expert/policy'),
    branchesPerStep: z.int().min(1).nullable().default(null),
    stopAtFirst: z.boolean().default(false),
    rollouts: z.int().min(1).max(64).optional(),
    baselineRollouts: z.int().min(0).max(64).optional(),
    placeboRate: z.number().min(0).max(1).default(0.1),
    ...verificationSettings,
    ...balanceSettings,
    minPassRate: z.number().min(0).max(1).nullable().default(null),
    maxPassRate: z.number().min(0).max(1).nullable().default(null),
    calibrationRate: z.number().min(0).max(1).default(0.05),
    thresholdsFrom: z.string().nullable().default(null),
  })
  .refine(({ gammaLow, gammaHigh }) => gammaLow <= gammaHigh, {
    error: ({ input }) => {
      const { gammaLow, gammaHigh } = input as { gammaLow: number; gammaHigh: number };
      return `gammaLow (${gammaLow}) is above gammaHigh (${gammaHigh})`;
    },
  });

export const cso = methodSettings({
  key: 'cso',
  schema,
  options(given, preset): CsoOptions {
    const { rollouts, baselineRollouts, placeboRate, confidence, tieMass, confirmOnVariants, minPassRate, ...options } =
      given;
    const sound = preset === 'sound';
    const verification = {
      rollouts: rollouts ?? (sound ? 8 : 1),
      baselineRollouts: baselineRollouts ?? (sound ? 8 : 0),
      placeboRate,
      confidence,
      tieMass,
      confirmOnVariants,
    };
    if (verification.rollouts > 1 && verification.baselineRollouts < 2) {
      throw new CruxError(
        'User.Config',
        `cso.rollouts is ${verification.rollouts} with ${verification.baselineRollouts} baseline rollouts: there is nothing to compare with.`,
        { remedy: 'Set cso.baselineRollouts to at least 2, or cso.rollouts to 1.' },
      );
    }
    checkAcceptable(verification);
    if (!options.verify && options.pairSources.endsWith('/expert')) {
      throw new CruxError(
        'User.Config',
        `cso.pairSources is ${options.pairSources} with cso.verify off: only a branch tells which of the expert's actions fails.`,
        { remedy: 'Set cso.verify to true, or cso.pairSources to one that ends in /policy.' },
      );
    }
    return { ...options, ...(minPassRate !== null && { minPassRate }), verification, ...balance(given, preset) };
  },
});

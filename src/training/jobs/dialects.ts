/** Every dialect of fine-tuning jobs. A new one gets a file next to this one and a row here. */
import { azure } from './azure.ts';
import type { JobDialect } from './dialect.ts';
import { fireworks } from './fireworks.ts';
import { openai } from './openai.ts';
import { together } from './together.ts';

export const jobDialects = { openai, azure, together, fireworks } satisfies { [name: string]: JobDialect };

export type JobDialectName = keyof typeof jobDialects;

export const jobDialectNames = Object.keys(jobDialects) as [JobDialectName, ...JobDialectName[]];

import type { Sampling } from '../../domain/methods/sampling.ts';
import { demonstrate } from './demonstrate.ts';
import { explore } from './explore.ts';
import { keepExamples } from './keep-examples.ts';
import { sampleAgain } from './sample-again.ts';
import type { TaskRun } from './task-run.ts';

/** The pages of the methods that mine nothing, by activities. */
export function samplingOf(task: TaskRun): Sampling {
  return {
    explore: () => explore(task),
    sampleAgain: (count) => sampleAgain(task, count),
    demonstrate: () => demonstrate(task),
    keepExamples: () => keepExamples(task),
  };
}

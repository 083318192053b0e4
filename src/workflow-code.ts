/** The code of the workflows, as a worker loads it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, Runtime, type WorkflowBundleOption } from '@temporalio/worker';

/** What was bundled in this process, by the converter of failures that is part of it. */
const bundled = new Map<string | undefined, Promise<WorkflowBundleOption>>();

/**
 * Bundled ahead in the npm package; from the sources in the repository, once for all workers of the process. With encryption it is always bundled
 * here and now, because how failures are written is part of the bundle.
 */
export async function workflowCode(failureConverterPath: string | undefined): Promise<WorkflowBundleOption> {
  const ahead = join(import.meta.dirname, 'workflow-bundle.js');
  if (failureConverterPath === undefined && existsSync(ahead)) return { codePath: ahead };
  const known = bundled.get(failureConverterPath);
  if (known) return known;
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
  const bundle = bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, 'workflows', `index.${extension}`),
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    logger: Runtime.instance().logger,
  });
  bundled.set(failureConverterPath, bundle);
  return bundle;
}

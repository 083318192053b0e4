/** The code of the workflows, as a worker loads it. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import { bundleWorkflowCode, type Logger, Runtime, type WorkflowBundleOption } from '@temporalio/worker';
import { defaultCacheFolder } from '../cache-folder.ts';
import { makeFolder } from '../make-folder.ts';

/** Code that this process has bundled or found, by its converter of failures. */
const known = new Map<string | undefined, Promise<WorkflowBundleOption>>();

/** How many bundles are kept. Only a developer who edits workflows makes more. */
const mostKept = 8;
/** Folder of the sources, or of their build. */
const codeFolder = join(import.meta.dirname, '..');
const root = join(codeFolder, '..');
const inlineSourceMap = /(?<=sourceMappingURL=data:application\/json;charset=utf-8;base64,)[\w+/=]+/;

/**
 * Bundled in advance in the npm package. In the repository it is bundled from the sources once, and every later process finds it in the cache until
 * the
 * sources change.
 * @param failureConverterPath the converter is part of the bundle: encryption has another one
 */
export async function workflowCode(failureConverterPath: string | undefined): Promise<WorkflowBundleOption> {
  const ahead = join(codeFolder, 'workflow-bundle.js');
  if (failureConverterPath === undefined && existsSync(ahead)) return { codePath: ahead };
  const code = known.get(failureConverterPath) ?? cachedCode(failureConverterPath);
  known.set(failureConverterPath, code);
  // After a failure, for example because of a full disk, the next attempt may succeed.
  code.catch(() => known.delete(failureConverterPath));
  return code;
}

/**
 * Bundles workflow code.
 * @returns its text. Temporal wants the source map inside the bundle; it names files from the package's root, not from that of this machine
 */
export async function bundle(
  workflowsPath: string,
  logger: Logger,
  failureConverterPath: string | undefined,
): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    logger,
  });
  return code.replace(inlineSourceMap, (base64) => {
    const sourceMap = Buffer.from(base64, 'base64').toString('utf8');
    return Buffer.from(sourceMap.replaceAll(root + sep, ''), 'utf8').toString('base64');
  });
}

async function cachedCode(failureConverterPath: string | undefined): Promise<WorkflowBundleOption> {
  const folder = join(defaultCacheFolder(), 'workflows');
  const codePath = join(folder, `${await contentKey(failureConverterPath)}.js`);
  const kept = await readFile(codePath, 'utf8').catch(() => null);
  if (kept !== null) return { code: kept };
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
  const workflowsPath = join(codeFolder, 'workflows', `index.${extension}`);
  const code = await bundle(workflowsPath, Runtime.instance().logger, failureConverterPath);
  // If the cache cannot be written, every process bundles for itself.
  await keep(folder, codePath, code).catch(() => {});
  return { code };
}

/** A key over everything in the bundle: our workflows, the rules that they use (tests/workflow-bundle.test.ts), and Temporal's packages by version. */
async function contentKey(failureConverterPath: string | undefined): Promise<string> {
  const hash = createHash('sha256');
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  const converter = failureConverterPath === undefined ? 'none' : relative(root, failureConverterPath);
  hash.update(JSON.stringify([version, process.version, converter]));
  for (const zone of ['workflows', 'domain']) {
    const names = await Array.fromAsync(glob('**/*.{ts,js}', { cwd: join(codeFolder, zone) }));
    for (const name of names.toSorted()) {
      const text = await readFile(join(codeFolder, zone, name), 'utf8');
      hash.update(JSON.stringify([zone, name.replaceAll(sep, '/'), text]));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

/** A file gets its name only once it is whole. The oldest files are deleted. */
async function keep(folder: string, codePath: string, code: string): Promise<void> {
  makeFolder(folder);
  const partial = join(folder, `${randomUUID()}.partial`);
  try {
    await writeFile(partial, code);
    await rename(partial, codePath);
  } finally {
    await rm(partial, { force: true });
  }
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => ({
      path: join(folder, name),
      at: (await stat(join(folder, name))).mtimeMs,
    })),
  );
  const tooMany = files.toSorted((one, other) => other.at - one.at).slice(mostKept);
  await Promise.all(tooMany.map(({ path }) => rm(path, { force: true })));
}

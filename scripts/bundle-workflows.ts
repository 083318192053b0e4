/** Bundles the compiled workflow code into dist/workflow-bundle.js, so that a worker of the installed package starts without webpack. */
import { writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = join(import.meta.dirname, '..');
const bundleFile = join('dist', 'workflow-bundle.js');
const inlineSourceMap = /(?<=sourceMappingURL=data:application\/json;charset=utf-8;base64,)[\w+/=]+/;

const { code } = await bundleWorkflowCode({
  workflowsPath: join(root, 'dist', 'workflows', 'index.js'),
  logger: new DefaultLogger('WARN', ({ message }) => console.error(message)),
});
const bundle = code.replace(inlineSourceMap, withoutBuildFolder);
writeFileSync(join(root, bundleFile), bundle);
console.log(`${bundleFile}, ${Math.round(bundle.length / 1024)} KiB`);

/** The source map (Temporal wants one, inside of the bundle) names files from the package's root on, not from that of this machine. */
function withoutBuildFolder(base64: string): string {
  const sourceMap = Buffer.from(base64, 'base64').toString('utf8');
  return Buffer.from(sourceMap.replaceAll(root + sep, ''), 'utf8').toString('base64');
}

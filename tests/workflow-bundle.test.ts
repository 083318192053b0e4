// Layer: the code that workflows run, as a worker bundles it.
import { relative, sep } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../src/package-root.ts';

/** Packages that workflow code may load, apart from Temporal's own: what those load themselves. */
const underTemporal = ['long', 'ms', 'nexus-rpc', 'protobufjs', '@protobufjs', 'proto3-json-serializer'];

let modules: string[];

beforeAll(async () => {
  const found = new Set<string>();
  await bundleWorkflowCode({
    workflowsPath: `${packageRoot}/src/workflows/index.ts`,
    // As with encryption, which adds to it.
    failureConverterPath: `${packageRoot}/src/workflows/encoded-failures.ts`,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    webpackConfigHook: (config) => ({
      ...config,
      plugins: [
        ...(config.plugins ?? []),
        {
          apply: (compiler) =>
            compiler.hooks.done.tap('modules', ({ compilation }) => {
              for (const module of compilation.modules) {
                const { resource } = module as { resource?: string };
                if (resource) found.add(relative(packageRoot, resource).split(sep).join('/'));
              }
            }),
        },
      ],
    }),
  });
  modules = [...found].sort();
});

it('holds every workflow', () => {
  expect(modules).toEqual(
    expect.arrayContaining([
      'src/workflows/campaign.ts',
      'src/workflows/trajectory.ts',
      'src/workflows/branch.ts',
      'src/workflows/encoded-failures.ts',
    ]),
  );
});

it('takes values of ours only from workflows and domain', () => {
  const ours = modules.filter((path) => !path.includes('node_modules/'));
  expect(ours.filter((path) => !/^src\/(workflows|domain)\//.test(path))).toEqual([]);
});

it('loads no package but those of Temporal', () => {
  const packages = new Set(
    modules.flatMap((path) => {
      const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
      return name === undefined ? [] : [name];
    }),
  );
  expect(packages).toContain('@temporalio/workflow');
  const known = (name: string) =>
    name.startsWith('@temporalio/') || underTemporal.some((own) => name === own || name.startsWith(`${own}/`));
  expect([...packages].filter((name) => !known(name))).toEqual([]);
});

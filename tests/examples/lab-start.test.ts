// Layer: examples/lab/start.sh as a process, with a stand-in for setup.sh.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/store.ts';

const setup = `echo "takes 6 GB in $1"
echo x >> "$(dirname "$0")/calls"
mkdir -p "$1/bin" && printf '#!/bin/sh\\n' > "$1/bin/python" && chmod +x "$1/bin/python"
[ -n "\${CUT_OFF:-}" ] && exit 7
cp "$(dirname "$0")/requirements.txt" "$1/requirements.txt"
`;
const script = `#!/usr/bin/env bash
# try.sh <folder> <seed…>: tries it.
source "$(dirname "\${BASH_SOURCE[0]}")/start.sh"
echo "python $LAB_PYTHON"
`;

/** A lab whose cache is empty. */
function emptyLab() {
  const folder = temporaryFolder();
  copyFileSync(join(import.meta.dirname, '../../examples/lab/start.sh'), join(folder, 'start.sh'));
  writeFileSync(join(folder, 'setup.sh'), setup);
  writeFileSync(join(folder, 'requirements.txt'), 'torch==1\n');
  writeFileSync(join(folder, 'try.sh'), script);
  const environment = join(folder, 'cache/crux/lab-python');
  const run = (environmentVariables: { [name: string]: string } = {}, given = ['lab', '0']) => {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_CACHE_HOME: join(folder, 'cache'),
      ...environmentVariables,
    };
    const { status, stdout, stderr } = spawnSync('bash', [join(folder, 'try.sh'), ...given], { env, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').length / 2 : 0);
  return { folder, environment, python: join(environment, 'bin/python'), run, calls };
}

it('a script of the lab makes the Python environment once, and says first what it costs and where it goes', () => {
  const { environment, python, run, calls } = emptyLab();
  expect(run()).toEqual({ code: 0, stdout: `takes 6 GB in ${environment}\npython ${python}\n`, stderr: '' });
  expect(run()).toEqual({ code: 0, stdout: `python ${python}\n`, stderr: '' });
  expect(calls()).toBe(1);
});

it('an environment that was cut off, or made for other requirements, is completed', () => {
  const { folder, environment, python, run, calls } = emptyLab();
  expect(run({ CUT_OFF: 'yes' })).toMatchObject({ code: 7, stdout: `takes 6 GB in ${environment}\n` });
  expect(existsSync(python)).toBe(true);
  expect(run().code).toBe(0);
  writeFileSync(join(folder, 'requirements.txt'), 'torch==2\n');
  expect(run().code).toBe(0);
  expect(calls()).toBe(3);
});

it('a Python that is named is taken as it is, and refused if it is none', () => {
  const { folder, run, calls } = emptyLab();
  const own = join(folder, 'own/python');
  expect(run({ LAB_PYTHON: own })).toMatchObject({
    code: 2,
    stderr: `LAB_PYTHON names ${own}, which is no program.\n`,
  });
  mkdirSync(join(folder, 'own'));
  writeFileSync(own, '#!/bin/sh\n');
  chmodSync(own, 0o755);
  expect(run({ LAB_PYTHON: own })).toMatchObject({ code: 0, stdout: `python ${own}\n` });
  expect(calls()).toBe(0);
});

it('without its arguments a script says which they are, before it costs anything', () => {
  const { run, calls } = emptyLab();
  expect(run({}, ['lab'])).toMatchObject({ code: 2, stderr: 'Usage: try.sh <folder> <seed…>: tries it.\n' });
  expect(calls()).toBe(0);
});

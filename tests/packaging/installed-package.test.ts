// Layer: the packed npm package, installed into an empty folder and used there as its users would: with npx and their own Node.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const minutes = 60_000;

let folder: string;
let packed: { size: number; filename: string; files: { path: string }[] };

/** What a user's shell has: nothing of the repository's tools, nothing that npm tells the scripts it runs. */
const userEnvironment = Object.fromEntries(
  Object.entries(process.env)
    .filter(
      ([name]) =>
        !/^(npm_(lifecycle|package|config_local_prefix|command|execpath|node)|VITEST|NODE_|INIT_CWD|CRUX_HOME)/.test(
          name,
        ),
    )
    .map(([name, value]) => [name, name === 'PATH' ? withoutRepository(value ?? '') : value]),
);

function withoutRepository(path: string): string {
  return path
    .split(delimiter)
    .filter((part) => !part.includes('node_modules'))
    .join(delimiter);
}

type Finished = { code: number; stdout: string; stderr: string };

function npx(...args: string[]): Promise<Finished> {
  return finished('npx', ['--no-install', ...args], folder);
}

/** A command of a user's shell, run to its end. */
function finished(command: string, args: string[], cwd: string): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env: userEnvironment }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

/** What the compiler says of files that import the package, checked strictly. */
async function typeErrors(cwd: string, files: string[]): Promise<string> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    target: 'es2024',
    module: 'nodenext',
    types: [],
  };
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  return (await finished(process.execPath, [compiler, '-p', cwd], cwd)).stdout;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crux-installed-'));
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: repository,
    encoding: 'utf8',
  });
  // npm 11 prints what the build prints before the JSON; newer ones an object by package name.
  const parsed = JSON.parse(output.slice(output.search(/^[[{]/m)));
  packed = Array.isArray(parsed) ? parsed[0] : parsed['crux-rl'];
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed.filename)];
  execFileSync('npm', install, { cwd: folder, env: userEnvironment, stdio: ['ignore', 'ignore', 'inherit'] });
}, 10 * minutes);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what is packed', () => {
  test('the command, compiled code with types, the server module, Python programs, documents and examples, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    const expected =
      /^(bin\/crux\.js|dist\/.*\.(js|d\.ts)|tools\/temporal-server\/(go\.mod|go\.sum|tools\.go)|docs\/.*\.(md|svg|png)|examples\/.*\.(md|ts|yaml)|examples\/(lab|language-model)\/.*\.(py|sh|txt)|python\/.*\.py|LICENSE|NOTICE|(README|CHANGELOG|CONTRIBUTING)\.md|package\.json)$/;
    expect(paths.filter((path) => !expected.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        'bin/crux.js',
        'dist/cli/main.js',
        'dist/index.d.ts',
        'dist/testing.d.ts',
        'docs/first-environment.md',
        'examples/simulated/crux.config.ts',
        'dist/workflow-bundle.js',
        'dist/environments/deep-search/live/page-thread.js',
        'python/crux_train.py',
        'python/crux_serve.py',
        'LICENSE',
        'README.md',
      ]),
    );
  });

  test('it stays below 2.2 MB', () => {
    expect(packed.size).toBeLessThan(2_200_000);
  });

  test('the bundle of workflow code says nothing about the machine that made it', () => {
    const bundle = readFileSync(join(folder, 'node_modules/crux-rl/dist/workflow-bundle.js'), 'utf8');
    const sourceMap = /sourceMappingURL=data:application\/json;charset=utf-8;base64,([\w+/=]+)/.exec(bundle)?.[1];
    expect(sourceMap).toBeDefined();
    expect(bundle).not.toContain(repository);
    expect(Buffer.from(sourceMap!, 'base64').toString('utf8')).not.toContain(repository);
  });
});

describe('what was installed', () => {
  test.each(['crux', 'crux-rl'])('tells its version as %s', async (name) => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(await npx(name, '--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test('has the page that the help of a command points at', async () => {
    const { stdout } = await npx('crux', 'serve-sim', '--help');
    const [, page] = /More: {5}(\S+)/.exec(stdout)!;
    expect(existsSync(join(folder, page!))).toBe(true);
  });

  test('runs the demo to its end, with pairs and a report', { timeout: 5 * minutes }, async () => {
    const { code, stdout, stderr } = await npx('crux', 'demo', '--json');
    expect(code, stderr).toBe(0);
    const { summary, exported, report } = JSON.parse(stdout);
    expect(summary).toMatchObject({ state: 'finished', tasks: { total: 16, done: 16 } });
    expect(exported.rows).toBe(summary.pairs.total);
    expect(exported.rows).toBeGreaterThan(0);
    const rows = readFileSync(join(folder, '.crux/demo/pairs/pairs.jsonl'), 'utf8').trimEnd().split('\n');
    expect(rows).toHaveLength(exported.rows);
    expect(existsSync(report)).toBe(true);
    expect(existsSync(join(folder, 'node_modules/crux-rl/src'))).toBe(false);
  });

  test('writes a configuration that it loads, and that type-checks', { timeout: 2 * minutes }, async () => {
    expect(await npx('crux', 'init')).toMatchObject({ code: 0 });
    const { code, stdout } = await npx('crux', 'doctor', '--json');
    const findings = JSON.parse(stdout) as { what: string; ok: boolean }[];
    expect(findings.find(({ what }) => what === 'configuration')).toMatchObject({ ok: true });
    // Neither the data set nor the models that the template names are there.
    expect(code).toBe(5);

    expect(await typeErrors(folder, ['crux.config.ts'])).toBe('');
  });

  test.each(['maze', 'files', 'shop', 'help-desk'])(
    'has the example %s, which its commands read where it lies',
    async (name) => {
      const { code, stdout, stderr } = await npx(
        'crux',
        'check-env',
        `node_modules/crux-rl/examples/${name}/environment.ts`,
      );
      expect(code, stdout + stderr).toBe(0);
    },
  );

  test.each([
    ['crux-rl', ['connect', 'cso', 'defineEnvironment', 'exportPairs']],
    ['crux-rl/testing', ['scriptedWorld', 'startSimulation', 'mazeWorld', 'createMazes']],
  ])('is imported by scripts as %s', (door, names) => {
    const script = `import { ${names.join()} } from '${door}';
      console.log([${names.join()}].map((name) => typeof name).join());`;
    writeFileSync(join(folder, 'script.mjs'), script);
    const output = execFileSync(process.execPath, ['script.mjs'], {
      cwd: folder,
      env: userEnvironment,
      encoding: 'utf8',
    });
    expect(output).toBe('function,function,function,function\n');
  });

  test('says which Node it needs when scripts import it on an older one', async ({ skip }) => {
    const { stdout: version } = await finished('node', ['-p', 'process.versions.node'], folder);
    const [major, minor] = version.split('.').map(Number);
    skip(major! > 24 || (major === 24 && minor! >= 10), `the Node on PATH is no older one: ${version}`);
    for (const door of ['crux-rl', 'crux-rl/testing']) {
      const { code, stderr } = await finished('node', ['--input-type=module', '-e', `import '${door}'`], folder);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('Error: crux-rl needs Node 24.10 or'),
      });
    }
  });
});

describe('docs/first-environment.md', () => {
  const page = readFileSync(join(repository, 'docs/first-environment.md'), 'utf8');
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => block!);

  test('leads from an empty folder to pairs, to the letter', { timeout: 5 * minutes }, async () => {
    const own = join(folder, 'first');
    mkdirSync(own);
    const [install, ...commands] = blocks('sh').flatMap((block) => block.trimEnd().split('\n'));
    // Done above, with the package that this repository makes.
    expect(install).toBe('npm install crux-rl');
    writeFileSync(join(own, 'my-env.ts'), blocks('ts')[0]!);

    let said = '';
    for (const command of commands) {
      const [npx, ...args] = command.split(' ');
      if (args[1] === 'serve-sim') {
        // Another terminal. Its usual port may be taken here.
        const port = await serve(npx!, ['--no-install', ...args, '--port', '0'], own);
        const config = join(own, 'crux.config.ts');
        writeFileSync(config, readFileSync(config, 'utf8').replace(':8123/', `:${port}/`));
        continue;
      }
      const { code, stdout, stderr } = await finished(npx!, ['--no-install', ...args], own);
      expect(code, `${command}\n${stdout}${stderr}`).toBe(0);
      said += stdout;
    }
    const shown = blocks('text').flatMap((block) => block.trimEnd().split('\n'));
    expect(shown.length).toBeGreaterThan(6);
    expect(shown.filter((line) => !said.includes(line))).toEqual([]);
    expect(await typeErrors(own, ['my-env.ts', 'crux.config.ts'])).toBe('');
    const [, pairs] = /Verified pairs +(\d+)/.exec(said)!;
    expect(Number(pairs)).toBeGreaterThan(0);
    expect(readFileSync(join(own, 'pairs/pairs.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(Number(pairs));
  });

  /** Starts a simulated server that ends with the test. @returns its port */
  async function serve(command: string, args: string[], cwd: string): Promise<number> {
    const child = spawn(command, args, {
      cwd,
      env: userEnvironment,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    onTestFinished(() => void process.kill(-child.pid!, 'SIGTERM'));
    let text = '';
    for await (const part of child.stderr.setEncoding('utf8')) {
      text += part;
      const port = /Simulated models at \S+:(\d+)\/v1/.exec(text)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error(`crux serve-sim ended: ${text}`);
  }
});

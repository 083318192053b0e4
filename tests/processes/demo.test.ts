// Layer: end to end: `crux demo` with its own Temporal server; the first one as a process of its own, as a new user calls it.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { type Ended, Project, temporaryProject } from '../end-to-end/crux.ts';
import { until } from '../helpers/lab.ts';

type DemoResult = { summary: RunSummary; exported: { out: string; rows: number }; report: string };

let project: Project;
let first: Ended;

beforeAll(async () => {
  project = new Project();
  first = await project.apart('demo');
});

afterAll(() => project.remove());

const pairsOf = (demo: Project) => readFileSync(join(demo.home, 'demo/pairs/pairs.jsonl'), 'utf8');
const shownRows = (text: string) => Number(/\((\d+) rows? for TRL\)/.exec(text)?.[1]);

describe('the first demo', () => {
  test('ends well, and its summary has every part', () => {
    expect(first.code, first.stderr).toBe(0);
    const parts = [
      /^State +finished after \d.*$/m,
      /^Tasks +16 of 16$/m,
      /^Trajectories +.*success \d+/m,
      /^Failures mined +submitted \d+/m,
      /^Candidate critical steps +\d+ of \d+$/m,
      /^Branches +\d+: .*verify \d+\/\d+ succeeded/m,
      /^Verified pairs +\d+ at \d+ steps? of \d+ tasks?/m,
      ...['policy +explore', 'policy +verify', 'expert +propose', 'prm +score'].map(
        (line) => new RegExp(`^${line} +[\\d,]+ +0 +[\\d,]+ +[\\d,]+ +\\$\\d`, 'm'),
      ),
      /The models are simulated/,
    ];
    expect(
      parts.filter((part) => !part.test(first.stdout)),
      first.stdout,
    ).toEqual([]);
    expect(first.stdout).not.toMatch(/undefined|NaN|null|\[object/);
  });

  test('writes as many pairs as it says, and the report where it says', () => {
    const rows = pairsOf(project)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toHaveLength(shownRows(first.stdout));
    for (const row of rows) expect(row).toMatchObject({ prompt: expect.any(Array), chosen: expect.any(Array) });
    const report = /^Report +(\S+)/m.exec(first.stdout)![1]!;
    expect(existsSync(project.path(report))).toBe(true);
  });

  test('proposes a next command that works', async () => {
    const next = /^Next +crux (show \S+ --task \S+)/m.exec(first.stdout)![1]!;
    const shown = await project.crux(...next.split(' '));
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/^[1-9]\d* pairs?$/m);
  });

  test('leaves no server behind', () => {
    expect(existsSync(join(project.home, 'temporal-server.json'))).toBe(false);
    expect(processesIn(project.home)).toEqual([]);
  });
});

describe('after the demo', () => {
  test('a second one shows the same result without calling a model or starting a server', async () => {
    const before = pairsOf(project);
    const second = await project.crux('demo');
    expect(second).toMatchObject({ code: 0, stdout: first.stdout });
    expect(second.stderr).toContain('The demo is finished; this is its result.');
    expect(second.stderr).not.toContain('Temporal');
    expect(pairsOf(project)).toBe(before);
  });

  test('its run is what `status` shows as long as there is no other', async () => {
    const status = await project.crux('status');
    expect(status.code, status.stderr).toBe(0);
    expect(status.stdout).toMatch(/^demo-\d+ +cso +sql-demo +finished +16\/16/m);
  });

  test('an unknown run is refused with the known ones', async () => {
    const { code, stderr } = await project.crux('show', 'no-such-run');
    expect(code).toBe(2);
    expect(stderr).toMatch(/no-such-run.*demo-\d+/s);
  });

  test('a pair of it is verified by its id alone', async () => {
    const id = JSON.parse(
      readFileSync(join(project.home, 'demo/pairs/certificates.jsonl'), 'utf8').split('\n')[0]!,
    ).pairId;
    const { code, stdout, stderr } = await project.crux('verify-pair', id);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('1 of 1 certificates hold.');
  });
});

test('the demo of the shop makes pairs by RRO, which hold, beside that of the SQL tasks', async () => {
  const both = temporaryProject();
  cpSync(join(project.home, 'demo'), join(both.home, 'demo'), { recursive: true });
  const { summary, exported } = await both.json<DemoResult>('demo', '--env', 'shop');
  expect(summary).toMatchObject({ state: 'finished', method: 'rro', environment: 'shop-demo' });
  expect(exported.rows).toBeGreaterThan(0);
  const { code, stdout, stderr } = await both.crux('verify-pair', summary.runId);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(`${exported.rows} of ${exported.rows} certificates hold.`);
  expect((await both.json<DemoResult>('demo')).summary).toMatchObject({ method: 'cso', environment: 'sql-demo' });
});

test('a demo of another version is shown when it is over, cannot go on when it is not, and --fresh leaves it behind', async () => {
  const later = temporaryProject();
  cpSync(join(project.home, 'demo'), join(later.home, 'demo'), { recursive: true });
  const store = new DatabaseSync(join(later.home, 'demo/crux.db'));
  const { id } = store.prepare('SELECT id FROM runs').get() as { id: string };
  store.exec('UPDATE runs SET seed = seed + 1');
  expect((await later.json<DemoResult>('demo')).summary.runId).toBe(id);

  store.exec("UPDATE runs SET finished_at = NULL, state = 'running'");
  const refused = await later.crux('demo');
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/cannot go on: .*other settings: seed is 3 there and 2 now\. `crux demo --fresh`/),
  });

  const { summary } = await later.json<DemoResult>('demo', '--fresh');
  expect(summary.state).toBe('finished');
  expect(summary.runId).not.toBe(id);
  expect(pairsOf(later)).toBe(pairsOf(project));
  expect(await later.json('status', id)).toMatchObject({ state: 'cancelled' });
  store.close();
});

test('a demo that is interrupted goes on with the same command, to the same pairs', async () => {
  const interrupted = temporaryProject();
  const running = interrupted.start(['demo']);
  // Some calls are paid and some trajectories are under way.
  await running.says(/Temporal UI: /);
  await callsPaid(interrupted, 60);
  running.process.kill('SIGINT');
  const stopped = await running.ended;
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stderr).toMatch(/Nothing is lost: Run demo-\d+ rests: .*To continue: crux demo, or crux resume demo-/);

  const { summary } = await interrupted.json<DemoResult>('demo');
  expect(summary).toMatchObject({ state: 'finished', tasks: { done: 16 } });
  expect(pairsOf(interrupted)).toBe(pairsOf(project));
  expect(processesIn(interrupted.home)).toEqual([]);
});

const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => {
  try {
    return execFileSync(name, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0;
  } catch {
    return false;
  }
});
if (chromium === undefined) console.warn('No Chromium is installed: the report is not looked at in a browser.');

describe.skipIf(chromium === undefined)("the demo's report in a browser", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crux-browser-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('shows every task and pair, without a complaint on the console and without loading anything', async () => {
    const { summary, report, exported } = await project.json<DemoResult>('demo');
    const { dom, complaints } = await look(report, folder);
    expect(complaints).toEqual([]);
    expect(dom.match(/<details class="task"/g)).toHaveLength(summary.tasks.total);
    expect(dom.match(/<div class="pair"/g)).toHaveLength(exported.rows);
    expect(dom).toContain('Simulated: engine behaviour, not model quality.');
    // With this policy the browser itself refuses whatever the page would load, and complains.
    expect(dom).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    );
  });

  test('a page that loads something is noticed', async () => {
    const page = join(folder, 'loads.html');
    writeFileSync(
      page,
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><img src="http://127.0.0.1:9/x.png">`,
    );
    expect((await look(page, folder)).complaints).toHaveLength(1);
  });
});

/** What the page is when it has loaded, and the console's lines. Nothing outside of this machine can be reached meanwhile. */
function look(page: string, folder: string): Promise<{ dom: string; complaints: string[] }> {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND',
    `--user-data-dir=${join(folder, 'profile')}`,
    '--enable-logging=stderr',
    '--dump-dom',
  ];
  return new Promise((resolve, reject) => {
    const options = { timeout: 50_000, maxBuffer: 50_000_000 };
    execFile(chromium!, [...flags, pathToFileURL(page).href], options, (error, stdout, stderr) => {
      if (error) reject(error);
      else resolve({ dom: stdout, complaints: stderr.split('\n').filter((line) => line.includes('CONSOLE')) });
    });
  });
}

/** Command lines of processes that work in a folder or name it. */
function processesIn(folder: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(folder) || workingFolder(line.trim().split(' ')[0]!) === folder);
}

function workingFolder(pid: string): string | null {
  try {
    return execFileSync('readlink', [`/proc/${pid}/cwd`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** Waits until the demo's store has so many answers. */
async function callsPaid(demo: Project, calls: number): Promise<void> {
  await until(`${calls} paid calls`, async () => {
    const [run] = (await demo.json<{ runs: { calls: number }[] }>('status')).runs;
    return (run?.calls ?? 0) >= calls;
  });
}

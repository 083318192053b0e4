import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './figures.ts';

const door = join(import.meta.dirname, '../../bin/crux.js');

/** How long a command takes, as a multiple of starting Node, and whether it loads Temporal's modules. */
export function readingCommand(given: string[], turns: number): { multiple: number; loadsTemporal: boolean } {
  const [node, crux] = [[], []] as [number[], number[]];
  for (let turn = 0; turn < turns; turn++) {
    node.push(time(['-e', '0']));
    crux.push(time([door, ...given]));
  }
  const coverage = mkdtempSync(join(tmpdir(), 'crux-coverage-'));
  time([door, ...given], { NODE_V8_COVERAGE: coverage });
  const loadsTemporal = readdirSync(coverage).some((file) =>
    readFileSync(join(coverage, file), 'utf8').includes('@temporalio'),
  );
  rmSync(coverage, { recursive: true });
  return { multiple: median(crux) / median(node), loadsTemporal };
}

function time(given: string[], env: NodeJS.ProcessEnv = {}): number {
  const startedAt = performance.now();
  execFileSync(process.execPath, given, { stdio: 'ignore', env: { ...process.env, ...env } });
  return performance.now() - startedAt;
}

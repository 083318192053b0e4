/**
 * Records replay fixtures: `node tests/histories/record.ts [scenario…]`, by default all. Each is the history of a real workflow, as it ran on a
 * Temporal server of its own with simulated models. They go to the folder of the package's version, which belongs to the code as it is; those
 * of released versions stay as they are for as long as a run of theirs may be under way (README.md).
 */
import { Recorder } from './recorder.ts';
import { scenarios } from './scenarios.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(scenarios, name));
if (unknown.length > 0)
  throw new Error(`No scenario ${unknown.join(', ')}. There are: ${Object.keys(scenarios).join(', ')}.`);

const recorder = await Recorder.open();
try {
  for (const [name, play] of Object.entries(scenarios))
    if (wanted.length === 0 || wanted.includes(name)) await play(recorder);
} finally {
  await recorder.close();
}

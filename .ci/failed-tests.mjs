// Writes a line for each failed test of a report of Vitest, and for each file that could not be loaded: node failed-tests.mjs <report>.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const firstLine = (text) => text.split('\n')[0].slice(0, 300);

for (const file of JSON.parse(readFileSync(process.argv[2], 'utf8')).testResults) {
  const name = relative(process.cwd(), file.name);
  const failed = file.assertionResults.filter((test) => test.status === 'failed');
  for (const test of failed) console.log(`${name} › ${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`);
  if (file.status === 'failed' && failed.length === 0) console.log(`${name}: ${firstLine(file.message)}`);
}

/**
 * The records of the shop's clerks as a training folder: what the lab's model imitates before its first round.
 *
 *     npx node examples/lab/records.ts <folder> <seed>
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOrders, clerksChoice, type Order, stepNames } from './rules.ts';
import { writeSettings } from './settings.ts';
import { briefing, command, everything, instructions, question, system } from './words.ts';

const recordCount = 500;

/** One conversation in the form in which Crux shows it to the policy. */
function record(order: Order, name: string) {
  const messages = [
    { role: 'system', content: `${system}\n\n${instructions}` },
    { role: 'user', content: briefing(order) },
  ];
  for (const [index, step] of stepNames.entries()) {
    messages.push({ role: 'assistant', content: command(step, clerksChoice(order, step, name)) });
    const next = stepNames[index + 1];
    if (next) messages.push({ role: 'user', content: question(order, next) });
  }
  return { example_id: name, messages, tools: null };
}

const [folder, seed] = [process.argv[2]!, Number(process.argv[3])];
const orders = allOrders().filter(({ isTest }) => !isTest);
// A stride without common factor draws each order once.
const drawn = Array.from({ length: recordCount }, (_, index) => orders[(index * 7 + seed * 131) % orders.length]!);
const rows = drawn.map((order) => record(order, `${order.id}-${seed}`));
mkdirSync(join(folder, 'data'), { recursive: true });
writeFileSync(join(folder, 'data/examples.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
writeFileSync(join(folder, 'texts.txt'), everything(allOrders()));
writeSettings(folder, 'sft', join(folder, 'base'), seed);

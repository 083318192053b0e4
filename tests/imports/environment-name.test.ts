// Layer: pure rules.
import { expect, it } from 'vitest';
import { defineEnvironment } from '../../src/environments/define.ts';
import { environmentName } from '../../src/imports/environment-name.ts';

it.each([
  ['WebShop', 'webshop'],
  ['webshop_1k', 'webshop-1k'],
  ['My Library. 2', 'my-library-2'],
  ['図書館', 'otherwise'],
  [`${'a'.repeat(50)}`, 'a'.repeat(41)],
  ['sql--2', 'sql--2'],
])('a data set called %s makes an environment that can be defined', (dataName, expected) => {
  const name = environmentName(dataName, 'otherwise');
  expect(name).toBe(expected);
  const definition = { name, version: '1', tools: [], tasks: async () => [], open: async () => ({}) as never };
  expect(defineEnvironment(definition).name).toBe(expected);
});

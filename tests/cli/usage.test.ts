// Layer: the command line in this process. Wrong words.
import { expect, it } from 'vitest';
import { temporaryProject } from '../end-to-end/crux.ts';

it.each<{ words: string[]; message: RegExp }>([
  { words: ['status', '--bogus', '--json'], message: /^unknown option '--bogus'/ },
  { words: ['--json', 'show'], message: /^missing required argument 'run'/ },
  { words: ['--json'], message: /^No command was given\.$/ },
  { words: ['serve-sim', '--port', '99999', '--json'], message: /expected a port, 0 to 65535\.$/ },
])('$words is answered in JSON alone, with exit code 2', async ({ words, message }) => {
  const { code, stdout, stderr } = await temporaryProject().crux(...words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr)).toEqual({
    error: { kind: 'User.Config', message: expect.stringMatching(message), remedy: 'See crux --help.' },
  });
});

it('without --json they are answered in words', async () => {
  const { code, stderr } = await temporaryProject().crux('codec-server', '--port', '70000');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: .*expected a port, 0 to 65535\.\n/);
});

it('a host that is no address of this machine is wrong use', async () => {
  const { code, stderr } = await temporaryProject().crux('serve-sim', '--port', '0', '--host', 'nosuch.invalid');
  expect(stderr).toMatch(/^crux: Nothing can listen at nosuch\.invalid:0: .* Name another place/);
  expect(code).toBe(2);
});

// Unit: an order to a campaign, with a handle that refuses it as the server does.
import { expect, it, vi } from 'vitest';
import { order } from '../../src/temporal/order.ts';

/** As the client has it: the server's refusal is the cause of its own error. */
function refusal(code: number, details: string): Error {
  const cause = Object.assign(new Error(`${code}: ${details}`), { code, details });
  return new Error('Workflow Update failed', { cause });
}

const triedAgain = 'Unable to perform workflow execution update due to Workflow Task in failed state.';

it('is given again while a workflow task is tried again', async () => {
  const executeUpdate = vi.fn().mockRejectedValueOnce(refusal(9, triedAgain)).mockResolvedValueOnce(undefined);
  await order({ executeUpdate }, 'retune', [{ calls: 5 }]);
  expect(executeUpdate.mock.calls).toEqual([
    ['retune', { args: [{ calls: 5 }] }],
    ['retune', { args: [{ calls: 5 }] }],
  ]);
});

it.each([
  ['another refusal', refusal(9, 'workflow execution already completed')],
  ['a server that is away', refusal(14, 'connection refused')],
])('ends with %s', async (_name, error) => {
  const executeUpdate = vi.fn().mockRejectedValue(error);
  await expect(order({ executeUpdate }, 'pause')).rejects.toBe(error);
  expect(executeUpdate).toHaveBeenCalledTimes(1);
});

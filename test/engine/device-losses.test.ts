import { expect, test } from 'vitest';
import { DeviceLostError } from '../../engine/basics/errors.ts';
import { DeviceLosses } from '../../engine/device/device-losses.ts';

const loss = new DeviceLostError('unknown', 'the driver was reset');

test('the third loss in a row is one too many, and says so', () => {
  const losses = new DeviceLosses();
  losses.lost(loss);
  losses.lost(loss);
  expect(losses.row).toBe(2);
  let thrown: unknown;
  try {
    losses.lost(loss);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DeviceLostError);
  expect(thrown).toMatchObject({ reason: 'unknown', cause: loss });
  expect((thrown as Error).message).toBe(
    'GPU device lost (unknown): 3 times in a row without progress; last error: (unknown): the driver was reset',
  );
});

test('what is achieved between them starts the count again', () => {
  const losses = new DeviceLosses(2);
  losses.lost(loss);
  losses.progressed();
  losses.lost(loss);
  expect(() => losses.lost(loss)).toThrow('2 times in a row');
});

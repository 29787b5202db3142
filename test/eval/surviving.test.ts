import { expect, test } from 'vitest';
import { DeviceLostError } from '../../engine/basics/errors.ts';
import { interpolation, type Method } from '../../eval/methods.ts';
import { surviving } from '../../eval/surviving.ts';
import { formulaPicture } from '../image/fixtures.ts';

const picture = formulaPicture([5, 4, 3, 1]);
const nearest = interpolation('nearest');

/** A method whose device is lost at these calls, counted over all its revivals; and what happened to it. */
function mortal(...lossesAt: number[]) {
  const log: string[] = [];
  let calls = 0;
  const life: Method = async (lr, control) => {
    if (lossesAt.includes(calls++)) throw new DeviceLostError('destroyed', 'pulled out');
    return await nearest(lr, control);
  };
  const method = surviving(life, async () => {
    log.push('reopened');
    return life;
  });
  return { method, log, control: { onNote: (note: string) => log.push(note) } };
}

test('a picture is done again on a new device', async () => {
  const { method, log, control } = mortal(0, 1, 3, 4);
  const expected = await nearest(picture);
  expect(await method(picture, control)).toEqual(expected);
  expect(await method(picture)).toEqual(expected);
  const note = 'GPU device lost (destroyed): pulled out; reopened the device and restarted the picture';
  expect(log).toEqual([note, 'reopened', note, 'reopened', 'reopened', 'reopened']);
});

test('the third loss without a picture between ends it', async () => {
  const { method, log } = mortal(1, 2, 3);
  await method(picture);
  await expect(method(picture)).rejects.toThrow(DeviceLostError);
  expect(log).toEqual(['reopened', 'reopened']);
  // Whoever goes on nevertheless gets a device that works.
  expect(await method(picture)).toEqual(await nearest(picture));
});

test('losses while it is opened again count too, other errors pass', async () => {
  let opened = 0;
  const lost: Method = async () => {
    throw new DeviceLostError('unknown', 'driver reset');
  };
  const reopen = async () => {
    opened++;
    throw new DeviceLostError('unknown', 'again');
  };
  await expect(surviving(lost, reopen)(picture)).rejects.toThrow('3 times in a row');
  expect(opened).toBe(2);
  const broken: Method = async () => {
    throw new TypeError('a defect');
  };
  await expect(surviving(broken, reopen)(picture)).rejects.toThrow('a defect');
  expect(opened).toBe(2);
});

/** Pictures for the tests: made by formula or at random, and the benchmark sets where they are found. */

import fc from 'fast-check';
import { type Channels, createPicture, type Picture } from '../../image/picture.ts';

/** Folder of Set5, Set14, BSD100 and train, each with HR and LRx4. */
export const DATA = process.env.DAYBREAK_DATA;
/** Folder of scores.json. */
export const GOLDEN = process.env.DAYBREAK_GOLDEN;

/** The formula of reference-values.json: a picture of (width, height, channels, salt). */
export function formulaPicture([width, height, channels, salt]: readonly number[]): Picture {
  const picture = createPicture(width, height, channels as Channels);
  for (let i = 0; i < picture.data.length; i++) picture.data[i] = Math.imul(i + salt, 2654435761) >>> 24;
  return picture;
}

/** Any picture with sides up to `longest`. */
export function anyPicture(longest = 12, channels: readonly Channels[] = [1, 2, 3, 4]): fc.Arbitrary<Picture> {
  const side = fc.integer({ min: 1, max: longest });
  return fc.tuple(side, side, fc.constantFrom(...channels)).chain(([width, height, count]) => {
    const length = width * height * count;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map(data => createPicture(width, height, count, data));
  });
}

import fc from 'fast-check';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { decode, encodePng } from '#codec';
import { ImageError } from '../../image/errors.ts';
import { createPicture } from '../../image/picture.ts';
import { anyPicture, formulaPicture } from './fixtures.ts';
import { pngOf } from './png-file.ts';

test('every kind of picture comes back from PNG as it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyPicture(20), async picture => {
      expect(await decode(await encodePng(picture), 'p.png')).toEqual(picture);
    }),
  );
});

test('a view into a larger buffer is encoded and decoded alone', async () => {
  const samples = new Uint8Array(100).fill(7);
  const picture = createPicture(2, 3, 3, samples.subarray(10, 28));
  const bytes = await encodePng(picture);
  const embedded = new Uint8Array(bytes.length + 20).fill(9);
  embedded.set(bytes, 10);
  expect((await decode(embedded.subarray(10, 10 + bytes.length), 'p.png')).data).toEqual(picture.data.slice());
});

test('bytes after the end of a PNG are ignored', async () => {
  const picture = formulaPicture([5, 4, 3, 1]);
  const bytes = await encodePng(picture);
  expect(await decode(Uint8Array.from([...bytes, 1, 2, 3]), 'p.png')).toEqual(picture);
});

test('16-bit PNG is reduced by round(v * 255 / 65535)', async () => {
  const values = [0, 128, 129, 385, 386, 32767, 32768, 65406, 65407, 65535, 1000, 40000];
  const png = new PNG({ width: 2, height: 2, bitDepth: 16, colorType: 2, inputColorType: 2, inputHasAlpha: false });
  png.data = Buffer.from(Uint16Array.from(values).buffer);
  const bytes = PNG.sync.write(png, { bitDepth: 16, colorType: 2, inputColorType: 2, inputHasAlpha: false });
  const picture = await decode(bytes, 'deep.png');
  expect(picture.channels).toBe(3);
  expect([...picture.data]).toEqual(values.map(value => Math.round((value * 255) / 65535)));
});

test('a PNG cut off anywhere, or with any byte of its pixels changed, is an error naming the file', async () => {
  const bytes = await encodePng(formulaPicture([9, 8, 3, 1]));
  for (let length = 0; length < bytes.length; length++) {
    const error = await decode(bytes.subarray(0, length), 'cut.png').catch(e => e);
    expect(error).toBeInstanceOf(ImageError);
    expect(error.message).toMatch(/^cut\.png: [^\n]+$/);
  }
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 33, max: bytes.length - 13 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, x) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] ^= x;
        await expect(decode(damaged, 'bad.png')).rejects.toThrow(/^bad\.png: /);
      },
    ),
    { numRuns: 200 },
  );
});

test('files of other kinds are told by their kind', async () => {
  await expect(decode(new Uint8Array(0), 'e.png')).rejects.toThrow('e.png: empty file');
  await expect(decode(Buffer.from('hello world, a text'), 't.png')).rejects.toThrow('t.png: not a picture');
  await expect(decode(Buffer.from('BM..............'), 'g.png')).rejects.toThrow('g.png: BMP is not supported');
  const huge = pngOf({ width: 100_000, height: 100_000, depth: 8, type: 2 }, [], Uint8Array.of(0));
  await expect(decode(huge, 'h.png')).rejects.toThrow('h.png: 100000x100000 pixels exceed the limit');
});

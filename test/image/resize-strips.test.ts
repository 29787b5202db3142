/** Pictures are resized in strips of rows: the strips make what the whole makes, in little memory, and let others take turns. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Channels, createPicture, type Picture, peak, type Samples } from '../../image/picture.ts';
import { RESIZE_METHODS, resize, resizeInTurns } from '../../image/resize.ts';
import { type Boundary, contributions, type ResizeMethod } from '../../image/resize-taps.ts';

/** Both passes over the whole picture in plain numbers, each output sample alone. */
function naive(picture: Picture<Samples>, width: number, height: number, method: ResizeMethod, boundary: Boundary) {
  const options = { method, boundary, antialias: true };
  const round = (value: number) => Math.min(peak(picture), Math.max(0, Math.floor(value + 0.5)));
  let now = { width: picture.width, height: picture.height, at: (i: number) => picture.data[i] };
  const pass = (along: 'x' | 'y') => {
    const { width: w, height: h, at } = now;
    const [input, output] = along === 'x' ? [w, width] : [h, height];
    const { taps, weight, index } = contributions(input, output, output / input, options);
    const sides = along === 'x' ? { width, height: h } : { width: w, height };
    const out: number[] = [];
    for (let y = 0; y < sides.height; y++) {
      for (let x = 0; x < sides.width; x++) {
        for (let c = 0; c < picture.channels; c++) {
          let sum = 0;
          for (let tap = 0; tap < taps; tap++) {
            const k = (along === 'x' ? x : y) * taps + tap;
            const [fromX, fromY] = along === 'x' ? [index[k], y] : [x, index[k]];
            sum += weight[k] * at((fromY * w + fromX) * picture.channels + c);
          }
          out.push(round(sum));
        }
      }
    }
    now = { ...sides, at: i => out[i] };
    return out;
  };
  if (height / picture.height <= width / picture.width) {
    pass('y');
    return pass('x');
  }
  pass('x');
  return pass('y');
}

/** Sides before and after, on either side of the strips' 64 rows: larger, smaller, rows first and columns first. */
const SIZES = [
  [9, 33, 17, 131],
  [13, 37, 52, 148],
  [11, 301, 7, 151],
  [31, 201, 5, 129],
  [7, 1, 3, 200],
  [6, 64, 9, 64],
  [5, 300, 4, 1],
] as const;

test.each(RESIZE_METHODS)('%s: to the last bit what the whole makes, at once and in turns', async method => {
  for (const [width, height, toWidth, toHeight] of SIZES) {
    for (const channels of [1, 3, 4] as const) {
      for (const make of channels === 3 ? [Uint8Array, Uint16Array] : [Uint8Array]) {
        const data = new make(width * height * channels);
        for (let i = 0; i < data.length; i++) data[i] = Math.imul(i + 3, 2654435761) >>> 16;
        const picture = createPicture<Samples>(width, height, channels as Channels, data);
        for (const boundary of ['symmetric', 'clamp'] as const) {
          const target = { width: toWidth, height: toHeight };
          const out = resize(picture, target, { method, boundary });
          const expected = make.from(naive(picture, toWidth, toHeight, method, boundary));
          const what = `${width}x${height} to ${toWidth}x${toHeight}, ${channels} channels, ${boundary}`;
          expect(out.data.constructor, what).toBe(make);
          expect(Buffer.compare(Buffer.from(out.data.buffer), Buffer.from(expected.buffer)), what).toBe(0);
          expect(await resizeInTurns(picture, target, { method, boundary })).toEqual(out);
        }
      }
    }
  }
});

test('beside the result a few rows are held, not the picture in Float64', async () => {
  const program = fileURLToPath(new URL('peak-resize.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, '1000', '4']);
  const result = 4000 * 4000 * 3;
  expect(Number(stdout)).toBeGreaterThan(result / 2);
  expect(Number(stdout)).toBeLessThan(result + (48 << 20));
}, 30_000);

test('in turns: timers are heard, and an abort ends it with its reason', async () => {
  const picture = createPicture(200, 200, 3);
  const control = new AbortController();
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
  }, 1);
  await resizeInTurns(picture, 4);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(2);
  setTimeout(() => control.abort(new Error('enough')), 0);
  await expect(resizeInTurns(picture, 4, { signal: control.signal })).rejects.toThrow('enough');
});

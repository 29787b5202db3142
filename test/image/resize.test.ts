import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';
import { readPicture } from '../../image/files.node.ts';
import {
  type Channels,
  createPicture,
  flipHorizontal,
  type Samples,
  toSixteenBit,
  transpose,
} from '../../image/picture.ts';
import { type Boundary, RESIZE_METHODS, type ResizeMethod, resize, resizeSamples, shrink } from '../../image/resize.ts';
import { picturePaths } from './fixture-pictures.ts';
import { anyPicture, DATA, formulaPicture } from './fixtures.ts';
import reference from './reference-values.json' with { type: 'json' };

const BOUNDARIES: readonly Boundary[] = ['symmetric', 'clamp'];
const side = fc.integer({ min: 1, max: 23 });
const options = fc.record({ method: fc.constantFrom(...RESIZE_METHODS), boundary: fc.constantFrom(...BOUNDARIES) });

test('the reference values come out to the last sample', () => {
  const source = formulaPicture(reference.resize.picture);
  for (const { method, boundary, width, height, data, sum, squares } of reference.resize.cases) {
    const how = { method: method as ResizeMethod, boundary: boundary as Boundary };
    expect([...resize(source, { width, height }, how).data], `${method} ${boundary} ${width}x${height}`).toEqual(data);
    const real = resizeSamples({ ...source, data: new Float64Array(source.data) }, { width, height }, how).data;
    expect(real.reduce((a, b) => a + b)).toBeCloseTo(sum, 8);
    expect(real.reduce((a, b) => a + b * b, 0)).toBeCloseTo(squares, 5);
  }
});

test('a constant stays constant in any method, boundary and size', () => {
  fc.assert(
    fc.property(side, side, side, side, fc.nat(255), options, (width, height, outWidth, outHeight, value, how) => {
      const picture = createPicture(width, height, 3);
      picture.data.fill(value);
      const out = resize(picture, { width: outWidth, height: outHeight }, how);
      expect(out).toMatchObject({ width: outWidth, height: outHeight, channels: 3 });
      expect(out.data.every(sample => sample === value)).toBe(true);
    }),
  );
});

test('real samples: linear', () => {
  const samples = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 35, maxLength: 35 });
  fc.assert(
    fc.property(
      samples,
      samples,
      fc.double({ min: -2, max: 2, noNaN: true }),
      side,
      side,
      options,
      (a, b, f, w, h, how) => {
        const run = (data: number[]) =>
          resizeSamples(
            { width: 7, height: 5, channels: 1, data: Float64Array.from(data) },
            { width: w, height: h },
            how,
          );
        const [ra, rb, rsum] = [run(a).data, run(b).data, run(a.map((value, i) => value + f * b[i])).data];
        for (let i = 0; i < rsum.length; i++) expect(rsum[i]).toBeCloseTo(ra[i] + f * rb[i], 10);
      },
    ),
  );
});

test('16 bit: the nearest level, clipped, every level its own', () => {
  const deep = fc.tuple(side, side, fc.constantFrom<Channels>(1, 2, 3, 4)).chain(([width, height, channels]) => {
    const length = width * height * channels;
    return fc
      .uint16Array({ minLength: length, maxLength: length })
      .map(data => createPicture(width, height, channels, data));
  });
  let beyond = 0;
  fc.assert(
    // One direction alone: what is rounded between two passes is another number.
    fc.property(deep, side, fc.boolean(), options, (picture, length, across, how) => {
      const size = across ? { width: length, height: picture.height } : { width: picture.width, height: length };
      const out = resize(picture, size, how);
      expect(out).toMatchObject({ ...size, channels: picture.channels });
      expect(out.data).toBeInstanceOf(Uint16Array);
      const real = resizeSamples({ ...picture, data: new Float64Array(picture.data) }, size, how).data;
      real.forEach((value, i) => {
        if (value < 0 || value > 65535) beyond++;
        const off = Math.abs(out.data[i] - Math.min(65535, Math.max(0, value)));
        if (off > 0.5 + 1e-6) expect.fail(`${value} became ${out.data[i]}`);
      });
    }),
  );
  expect(beyond).toBeGreaterThan(0);
  // One level of 65535, which 8 bits do not know.
  const step = createPicture(4, 1, 1, Uint16Array.of(30000, 30000, 30001, 30001));
  expect([...resize(step, { width: 8, height: 1 }, { method: 'nearest' }).data]).toEqual(
    [30000, 30001].flatMap(level => [level, level, level, level]),
  );
});

test('8 bit in 16: multiples of 257 stay what they are by nearest, and near it by the others', () => {
  fc.assert(
    fc.property(anyPicture(12), side, side, options, (picture, width, height, how) => {
      const [small, large] = [picture, toSixteenBit(picture)].map(one => resize<Samples>(one, { width, height }, how));
      // Half a level of 8 bits for each rounding, and what the second pass makes of the first one's: at most all weights.
      const most = how.method === 'nearest' ? 0 : 2;
      for (let i = 0; i < small.data.length; i++) {
        expect(Math.abs(large.data[i] / 257 - small.data[i])).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test('channels do not mix; mirrored and transposed pictures give mirrored and transposed results', () => {
  fc.assert(
    fc.property(anyPicture(14, [1, 3, 4]), side, options, (picture, width, how) => {
      const size = { width, height: 9 };
      const out = resize(picture, size, how);
      for (let c = 0; c < picture.channels; c++) {
        const one = createPicture(picture.width, picture.height, 1);
        for (let i = 0; i < one.data.length; i++) one.data[i] = picture.data[i * picture.channels + c];
        const alone = resize(one, size, how).data;
        expect(alone.every((value, i) => value === out.data[i * picture.channels + c])).toBe(true);
      }
      // Nearest breaks its ties to one side; of equal scales rows go first, so 8 bits may round otherwise.
      if (how.method === 'nearest') return;
      const real = (p: typeof picture, target: { width: number; height: number }) =>
        resizeSamples({ ...p, data: new Float64Array(p.data) }, target, how).data;
      const plain = real(picture, size);
      const mirrored = real(flipHorizontal(picture), size);
      const turned = real(transpose(picture), { width: 9, height: width });
      for (let y = 0; y < 9; y++) {
        for (let x = 0; x < width; x++) {
          const value = plain[(y * width + x) * picture.channels];
          expect(mirrored[(y * width + width - 1 - x) * picture.channels]).toBeCloseTo(value, 8);
          expect(turned[(x * 9 + y) * picture.channels]).toBeCloseTo(value, 8);
        }
      }
    }),
  );
});

test('a factor rounds sides up; no pixels is an error', () => {
  const picture = createPicture(10, 7, 3);
  expect(resize(picture, 0.25)).toMatchObject({ width: 3, height: 2 });
  expect(resize(picture, 4)).toMatchObject({ width: 40, height: 28 });
  expect(() => resize(picture, { width: 0, height: 2 })).toThrow(ImageError);
  expect(() => shrink(picture)).toThrow('multiples of 4');
});

test('all 119 LRx4 files are made from their HR files with not one differing sample', async context => {
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
  let files = 0;
  let differing = 0;
  for (const set of ['Set5', 'Set14', 'BSD100']) {
    for (const path of picturePaths(join(DATA, set, 'HR'))) {
      const made = shrink(await readPicture(path));
      const given = await readPicture(join(DATA, set, 'LRx4', path.slice(path.lastIndexOf('/') + 1)));
      expect(made).toMatchObject({ width: given.width, height: given.height, channels: given.channels });
      for (let i = 0; i < given.data.length; i++) if (made.data[i] !== given.data[i]) differing++;
      files++;
    }
  }
  expect({ files, differing }).toEqual({ files: 119, differing: 0 });
});

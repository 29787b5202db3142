import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spreadColour, upscaleAlpha, upscaleBesideAlpha } from '../../eval/alpha.ts';
import { interpolation } from '../../eval/methods.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { resize } from '../../image/resize.ts';
import { type Boundary, within } from '../../image/resize-taps.ts';
import { formulaPicture } from '../image/fixtures.ts';

const grey = (width: number, ...data: number[]) => createPicture(width, data.length / width, 1, Uint8Array.from(data));

test('hidden colours become the mean of their visible neighbours, ring by ring', () => {
  const colour = grey(5, 10, 99, 99, 99, 21);
  expect([...spreadColour(colour, grey(5, 255, 0, 0, 0, 1)).data]).toEqual([10, 10, 16, 21, 21]);
  const square = grey(3, 1, 2, 3, 4, 99, 6, 7, 8, 9);
  expect([...spreadColour(square, grey(3, 9, 9, 9, 9, 0, 9, 9, 9, 9)).data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('visible colours stay, and so does everything where all or nothing is visible', () => {
  const colour = formulaPicture([9, 8, 3, 1]);
  const alpha = formulaPicture([9, 8, 1, 7]);
  alpha.data.forEach((value, i) => {
    alpha.data[i] = value < 128 ? 0 : value;
  });
  const spread = spreadColour(colour, alpha);
  alpha.data.forEach((value, i) => {
    if (value > 0) expect(spread.data.subarray(3 * i, 3 * i + 3)).toEqual(colour.data.subarray(3 * i, 3 * i + 3));
  });
  expect(spreadColour(colour, createPicture(9, 8, 1))).toBe(colour);
  expect(spreadColour(colour, createPicture(9, 8, 1, new Uint8Array(72).fill(1)))).toBe(colour);
});

test('a bright shape on hidden black gets no dark fringe', async () => {
  const size = 12;
  const picture = createPicture(size, size, 4);
  for (let y = 3; y < 9; y++) {
    for (let x = 3; x < 9; x++) picture.data.set([240, 230, 220, 255], (y * size + x) * 4);
  }
  const { data } = await interpolation('bicubic')(picture);
  for (let i = 0; i < data.length; i += 4) expect([...data.subarray(i, i + 3)]).toEqual([240, 230, 220]);
  expect(data[3]).toBe(0);
  expect(data[(24 * 48 + 24) * 4 + 3]).toBe(255);
});

/** Alpha by the rule's words: where all pixels within 2, across and down, are hard, the result is thresholded. */
function alphaByRule(alpha: Picture, width: number, height: number, boundary: Boundary): number[] {
  const { data } = resize(alpha, { width, height }, { method: 'bicubic', boundary });
  if (width < alpha.width || height < alpha.height) return [...data];
  return [...data].map((value, at) => {
    const [x, y] = [at % width, Math.floor(at / width)].map((one, axis) => {
      const [from, to] = axis === 0 ? [alpha.width, width] : [alpha.height, height];
      return Math.floor(((one + 0.5) * from) / to);
    });
    // A pixel is soft if it lies within 2 of a partly transparent one, of which mirroring makes more.
    for (let j = 0; j < alpha.height; j++)
      for (let i = 0; i < alpha.width; i++) {
        if (alpha.data[j * alpha.width + i] % 255 === 0) continue;
        const near = (position: number, centre: number, length: number) =>
          [-2, -1, 0, 1, 2].some(step => within(centre + step, length, boundary) === position);
        if (near(x, i, alpha.width) && near(y, j, alpha.height)) return value;
      }
    return value * 2 > 255 ? 255 : 0;
  });
}

test('alpha is bicubic near soft pixels and stays hard elsewhere', () => {
  const level = fc.constantFrom(0, 0, 0, 255, 255, 255, 255, 100);
  const sides = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(
      sides.chain(([width, height]) =>
        fc.tuple(fc.constant(width), fc.array(level, { minLength: width * height, maxLength: width * height })),
      ),
      fc.constantFrom('symmetric', 'wrap', 'clamp'),
      fc.constantFrom<readonly [number, number]>([4, 4], [1, 3], [2, 1], [0.5, 4], [4, 0.5]),
      ([width, data], boundary, [across, down]) => {
        const alpha = grey(width, ...data);
        const to = { width: Math.ceil(width * across), height: Math.ceil(alpha.height * down) };
        const enlarged = upscaleAlpha(alpha, to, boundary);
        expect([...enlarged.data]).toEqual(alphaByRule(alpha, to.width, to.height, boundary));
      },
    ),
    { seed: 3, numRuns: 300 },
  );
});

test('exactly half of white is transparent, and 16 bits have the same rule', () => {
  // Between a transparent and an opaque pixel the cubic gives one half where positions are symmetric.
  const two = createPicture(2, 1, 1, Uint16Array.of(0, 65535));
  const { data } = upscaleAlpha(two, { width: 3, height: 1 }, 'clamp');
  expect([data[0], data[2]]).toEqual([0, 65535]);
  expect([0, 65535]).toContain(data[1]);
  const soft = createPicture(1, 1, 1, Uint16Array.of(255));
  expect([...upscaleAlpha(soft, { width: 2, height: 1 }, 'symmetric').data]).toEqual([255, 255]);
});

test('colour and alpha go their own ways; without alpha there is one', async () => {
  const picture = formulaPicture([3, 2, 4, 1]);
  const seen: number[] = [];
  const result = await upscaleBesideAlpha(
    picture,
    async colour => {
      seen.push(colour.channels);
      return colour;
    },
    alpha =>
      createPicture(
        3,
        2,
        1,
        alpha.data.map(value => 255 - value),
      ),
  );
  expect(seen).toEqual([3]);
  for (let i = 3; i < picture.data.length; i += 4) expect(result.data[i]).toBe(255 - picture.data[i]);
  const opaque = formulaPicture([3, 2, 3, 1]);
  const never = () => {
    throw new Error('there is no alpha');
  };
  expect(await upscaleBesideAlpha(opaque, async colour => colour, never)).toBe(opaque);
});

/** Rings by the rule's words, with a distance map. */
function spreadByRule(colour: Picture, alpha: Picture): number[] {
  const { width, channels } = colour;
  const data = [...colour.data];
  let known = [...alpha.data].map(value => value > 0);
  if (known.every(Boolean) || !known.some(Boolean)) return data;
  while (!known.every(Boolean)) {
    const next = [...known];
    const before = [...data];
    known.forEach((isKnown, pixel) => {
      if (isKnown) return;
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      const near = known.flatMap((other, at) =>
        other && Math.abs((at % width) - x) <= 1 && Math.abs(Math.floor(at / width) - y) <= 1 ? [at] : [],
      );
      if (near.length === 0) return;
      next[pixel] = true;
      for (let c = 0; c < channels; c++)
        data[pixel * channels + c] = Math.floor(
          near.reduce((sum, at) => sum + before[at * channels + c], 0) / near.length + 0.5,
        );
    });
    known = next;
  }
  return data;
}

test('hidden colours follow the rule in any picture', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(1, 3),
      fc.integer({ min: 0, max: 255 }),
      fc.infiniteStream(fc.constantFrom(0, 0, 0, 0, 1, 255)),
      (width, height, channels, seed, alphas) => {
        const colour = formulaPicture([width, height, channels as 1 | 3, seed]);
        const alpha = grey(width, ...Array.from({ length: width * height }, () => alphas.next().value as number));
        expect([...spreadColour(colour, alpha).data]).toEqual(spreadByRule(colour, alpha));
      },
    ),
    { seed: 4, numRuns: 200 },
  );
});

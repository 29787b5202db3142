import { describe, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { interpolation } from '../../eval/methods.ts';
import { BORDER } from '../../eval/protocols.ts';
import { highFrequencyEnergy, textureRatio } from '../../eval/texture.ts';
import { createPicture, type Picture, toRgb } from '../../image/picture.ts';
import type { Plane } from '../../image/plane.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { formulaPicture } from '../image/fixtures.ts';

const planeOf = (width: number, height: number, at: (x: number, y: number) => number): Plane => ({
  width,
  height,
  data: Float64Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width))),
});

const meanSquare = ({ data }: Plane) => data.reduce((sum, value) => sum + value * value, 0) / data.length;

describe('highFrequencyEnergy', () => {
  test.each([
    [12, 8],
    [10, 7],
  ])('of %ix%i: each cosine counts whole or not at all', (width, height) => {
    const kept = { u: Math.ceil(width / 4), v: Math.ceil(height / 4) };
    for (let u = 0; u < width; u++) {
      for (let v = 0; v < height; v++) {
        const wave = planeOf(
          width,
          height,
          (x, y) =>
            3 *
            Math.cos((Math.PI * (2 * x + 1) * u) / (2 * width)) *
            Math.cos((Math.PI * (2 * y + 1) * v) / (2 * height)),
        );
        const low = u < kept.u && v < kept.v;
        expect(highFrequencyEnergy(wave), `${u}, ${v}`).toBeCloseTo(low ? 0 : meanSquare(wave), 10);
      }
    }
  });

  test('is the mean square for noise without its low part, whatever constant is added', () => {
    const random = new Philox(1, 2);
    const noise = planeOf(64, 48, () => 255 * random.uniform());
    const { data } = noise;
    const brighter: Plane = { ...noise, data: data.map(value => value + 1000) };
    const energy = highFrequencyEnergy(noise);
    expect(highFrequencyEnergy(brighter)).toBeCloseTo(energy, 6);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const variance = meanSquare({ ...noise, data: data.map(value => value - mean) });
    // The energy of white noise is spread evenly: 15 of 16 coefficients are high.
    expect(energy / variance).toBeCloseTo(15 / 16, 1);
    expect(highFrequencyEnergy(noise, 1)).toBeCloseTo(0, 8);
    expect(highFrequencyEnergy(noise, 64)).toBeCloseTo(variance, 8);
  });
});

describe('textureRatio', () => {
  const original = syntheticPicture(3, 1, 96, 80);
  const changed = (at: (value: number, i: number) => number): Picture =>
    createPicture(96, 80, 3, original.data.map(at));

  test('1 for the original, less for what bicubic makes of it, in between half way, more where noise is added', async () => {
    expect(textureRatio(original, original)).toBe(1);
    const lr = shrink(original);
    const bicubic = await interpolation('bicubic')(lr);
    expect(textureRatio(bicubic, original)).toBeLessThan(0.1);
    const between = changed((value, i) => (value + bicubic.data[i]) / 2);
    expect(textureRatio(between, original)).toBeGreaterThan(0.2);
    expect(textureRatio(between, original)).toBeLessThan(0.4);
    const noisy = changed((value, i) => Math.min(255, Math.max(0, value + ((Math.imul(i, 2654435761) >>> 26) - 32))));
    expect(textureRatio(noisy, original)).toBeGreaterThan(1.2);
  });

  test('leaves the border out, as the protocols do', () => {
    const inside = (i: number) => {
      const [x, y] = [Math.floor(i / 3) % 96, Math.floor(i / 288)];
      return Math.min(x, y, 95 - x, 79 - y) >= BORDER;
    };
    const framed = changed((value, i) => (inside(i) ? value : 255 - value));
    expect(framed.data).not.toEqual(original.data);
    expect(textureRatio(framed, original)).toBe(1);
  });

  test('a grey original is compared in grey; flat pictures have none', () => {
    const grey = formulaPicture([24, 24, 1, 2]);
    expect(textureRatio(toRgb(grey), grey)).toBe(1);
    const flat = createPicture(24, 24, 3);
    expect(textureRatio(flat, flat)).toBe(1);
    expect(textureRatio(formulaPicture([24, 24, 3, 2]), flat)).toBe(Number.POSITIVE_INFINITY);
    expect(textureRatio(flat, formulaPicture([24, 24, 3, 2]))).toBe(0);
  });

  test('sizes must agree', () => {
    expect(() => textureRatio(createPicture(24, 20, 3), createPicture(20, 24, 3))).toThrow('cannot score');
  });
});

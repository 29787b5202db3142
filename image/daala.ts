/**
 * Luma as the daala video codec's `png2y4m` writes it with its default options: BT.709, 4:2:0, dithered with triangular
 * noise that is the same for every picture. Each luma value minimises the RGB error after chroma rounding. Ledig et al.
 * 2017 scored with it (section 3.1); their published figures cannot be reproduced without it.
 *
 * The tool computes in 64-bit integers. All products here stay below 2^53, so doubles are exact, and quotients are
 * corrected after the division.
 */

import { DitherSource } from './daala-dither.ts';
import { type Picture, toRgb } from './picture.ts';
import type { Plane } from './plane.ts';

/** 2^16 - 1 times the luma weights' common denominator over 8 bits: unit of the reconstruction. */
const Q = 9745792000;
const PER_LUMA = 2916394880000;
const PER_CR_IN_RED = 4490222169144;
const PER_CB_IN_GREEN = -534117096223;
const PER_CR_IN_GREEN = -1334761232047;
const PER_CB_IN_BLUE = 5290866304968;
const LUMA_DENOMINATOR = 1780026171875;

/** floor(n / d) for integers below 2^53 in magnitude. */
function floorDivide(n: number, d: number): number {
  const quotient = Math.floor(n / d);
  const rest = n - quotient * d;
  if (rest < 0) return quotient - 1;
  return rest >= d ? quotient + 1 : quotient;
}

/** n / d, rounded half away from zero. */
function roundDivide(n: number, d: number): number {
  const half = Math.floor(d / 2);
  return n < 0 ? -floorDivide(half - n, d) : floorDivide(n + half, d);
}

function reconstruct(scaledLuma: number, offset: number): number {
  return Math.min(65535, Math.max(0, roundDivide(scaledLuma + offset, Q)));
}

function squaredError(luma: number, r: number, g: number, b: number, red: number, green: number, blue: number): number {
  const scaled = PER_LUMA * luma;
  const dr = r - reconstruct(scaled, red);
  const dg = g - reconstruct(scaled, green);
  const db = b - reconstruct(scaled, blue);
  return (dr * dr + dg * dg + db * db) | 0; // 32-bit sums in the tool, wrapping
}

/** Luma minus 16 of one dithered 16-bit pixel, given the RGB offsets of its block's chroma. */
function bestLuma(r: number, g: number, b: number, red: number, green: number, blue: number): number {
  const ideal =
    1063 * Math.floor((r * Q - red + 4096) / 8192) +
    3576 * Math.floor((g * Q - green + 4096) / 8192) +
    361 * Math.floor((b * Q - blue + 4096) / 8192);
  const low = Math.min(238, Math.max(-16, floorDivide(ideal, LUMA_DENOMINATOR)));
  const errorLow = squaredError(low, r, g, b, red, green, blue);
  const errorHigh = squaredError(low + 1, r, g, b, red, green, blue);
  if (errorHigh < errorLow) return low + 1;
  return errorHigh === errorLow ? low + (low & 1) : low;
}

/** Chroma minus 128 from the sum over a block's four pixels, clipped to 8 bits. */
function chroma(sum: number, denominator: number): number {
  return Math.min(127, Math.max(-128, roundDivide(sum, denominator)));
}

const source = new DitherSource();

/**
 * The luma plane (integers 0…255) that `png2y4m` gives for an 8-bit picture. Crop borders before calling:
 * blocks and dither start at the picture's corner. Grey counts as three equal channels; alpha is ignored.
 */
export function daalaLuma(picture: Picture): Plane {
  const { width, height, data } = toRgb(picture);
  const blocksAcross = (width + 1) >> 1;
  const dither = source.offsets(blocksAcross * ((height + 1) >> 1));
  const plane = new Float64Array(width * height);
  const pixels = new Float64Array(12);
  for (let y = 0, block = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2, block++) {
      // Past an odd edge the last dithered column, then row, is repeated.
      let [red, green, blue] = [0, 0, 0];
      for (let q = 0; q < 4; q++) {
        const from = (q & (x + 1 < width ? 1 : 0)) | (q & (y + 1 < height ? 2 : 0));
        const at = ((y + (from >> 1)) * width + x + (from & 1)) * 3;
        const noise = block * 12 + from * 3;
        for (let c = 0; c < 3; c++) pixels[q * 3 + c] = data[at + c] * 257 + dither[noise + c];
        red += pixels[q * 3];
        green += pixels[q * 3 + 1];
        blue += pixels[q * 3 + 2];
      }
      const cb = chroma(-29764 * red - 100128 * green + 129892 * blue, 304016865);
      const cr = chroma(110236 * red - 100128 * green - 10108 * blue, 258011295);
      const redOffset = PER_CR_IN_RED * cr;
      const greenOffset = PER_CB_IN_GREEN * cb + PER_CR_IN_GREEN * cr;
      const blueOffset = PER_CB_IN_BLUE * cb;
      for (let q = 0; q < 4; q++) {
        const [px, py] = [x + (q & 1), y + (q >> 1)];
        if (px >= width || py >= height) continue;
        const [r, g, b] = [pixels[q * 3], pixels[q * 3 + 1], pixels[q * 3 + 2]];
        plane[py * width + px] = 16 + bestLuma(r, g, b, redOffset, greenOffset, blueOffset);
      }
    }
  }
  return { width, height, data: plane };
}

/**
 * Colours of one picture. In photographs luma varies most, chroma mostly between orange and blue, and one picture's
 * colours share a cast; the numbers below were set so that whole pictures have the spreads of photographs (see
 * syntheticPicture).
 */

import type { Random } from '../random.ts';

/** Red, green, blue in 0…1, possibly slightly outside. */
export type Colour = readonly [number, number, number];

/** BT.601, full range: luma 0…1, chroma -0.5…0.5. */
function fromLumaChroma(y: number, cb: number, cr: number): Colour {
  return [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb];
}

/** The axis from blue to orange in (Cb, Cr), which holds most of the chroma of photographs. */
const ORANGE = [-0.75, 0.66] as const;

export class Palette {
  readonly #random: Random;
  readonly #lumas: number[] = [];
  readonly #spread: number;
  readonly #cast: readonly [number, number];

  constructor(random: Random) {
    this.#random = random;
    const count = 3 + random.integer(5);
    for (let i = 0; i < count; i++) this.#lumas.push(random.uniform(0.04, 0.96));
    const vivid = random.uniform();
    this.#spread = 0.03 + 0.18 * vivid * vivid;
    this.#cast = [-0.016 + 0.045 * random.normal(), 0.01 + 0.036 * random.normal()];
  }

  /** A colour for an object. */
  colour(): Colour {
    const random = this.#random;
    const luma = random.pick(this.#lumas) + 0.09 * random.normal();
    return this.#tinted(Math.min(0.98, Math.max(0.02, luma)));
  }

  /** A colour that contrasts with `other`, for writing, windows and stripes. */
  contrasting(other: Colour): Colour {
    const luma = 0.299 * other[0] + 0.587 * other[1] + 0.114 * other[2];
    const step = this.#random.uniform(0.12, 0.75);
    return this.#tinted(
      luma + step < 0.97 && (luma - step < 0.03 || this.#random.chance(0.5))
        ? luma + step
        : Math.max(0.02, luma - step),
    );
  }

  /** `base` with luma and chroma randomly shifted by about `amount`. */
  near(base: Colour, amount: number): Colour {
    const random = this.#random;
    const factor = 1 + amount * random.normal();
    const tint = 0.12 * amount * random.normal();
    return [base[0] * factor - ORANGE[0] * tint, base[1] * factor, base[2] * factor + ORANGE[0] * tint];
  }

  #tinted(luma: number): Colour {
    const random = this.#random;
    // Most objects are nearly grey, few are vivid.
    const saturation = this.#spread * (0.35 + 1.7 * random.uniform() * random.uniform());
    const along = saturation * 1.6 * random.normal();
    const across = saturation * 0.6 * random.normal();
    // Black and white have no room for chroma.
    const room = Math.min(1, 4.5 * luma * (1 - luma) + 0.1);
    const cb = room * (this.#cast[0] + ORANGE[0] * along - ORANGE[1] * across);
    const cr = room * (this.#cast[1] + ORANGE[1] * along + ORANGE[0] * across);
    return fromLumaChroma(luma, cb, cr);
  }
}

/**
 * Random numbers as a pure function of seed, stream and place (Philox 4×32-10; Salmon et al., "Parallel Random Numbers:
 * As Easy as 1, 2, 3", SC 2011). All methods use only integer arithmetic and the operations that IEEE 754 rounds the
 * same way everywhere (+ - * / and sqrt), so that every machine draws the same numbers to the last bit.
 */

/** High 32 bits of the unsigned product. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  // Both sums may pass 2^32 - 1 only in doubles, so they are divided, not shifted.
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536);
}

/** 2^t by a polynomial for the fraction: within 3·10⁻³ of the power, and the same bits everywhere. */
function power2(t: number): number {
  const whole = Math.floor(t);
  const fraction = t - whole;
  let power = 1 + fraction * (0.6565 + 0.3435 * fraction);
  for (let i = 0; i < whole; i++) power *= 2;
  for (let i = 0; i > whole; i--) power /= 2;
  return power;
}

/** A sequence of random numbers; sequences of different (seed, a, b) are independent. */
export class Random {
  readonly #seed: readonly [number, number];
  readonly #stream: readonly [number, number, number];
  readonly #words = new Uint32Array(4);
  #block = 0;
  #left = 0;

  /** `seed` and `a` are integers in 0…2^53 - 1, `b` in 0…2^32 - 1. */
  constructor(seed: number, a = 0, b = 0) {
    this.#seed = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
    this.#stream = [a >>> 0, Math.floor(a / 2 ** 32) >>> 0, b >>> 0];
  }

  /** The next 32 bits. */
  word(): number {
    if (this.#left === 0) {
      this.#fill();
      this.#left = 4;
    }
    return this.#words[4 - this.#left--];
  }

  #fill(): void {
    let c0 = this.#block++;
    let [c1, c2, c3] = this.#stream;
    let [k0, k1] = this.#seed;
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(0xd2511f53, c0);
      const low0 = Math.imul(0xd2511f53, c0) >>> 0;
      const high1 = multiplyHigh(0xcd9e8d57, c2);
      const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    this.#words[0] = c0;
    this.#words[1] = c1;
    this.#words[2] = c2;
    this.#words[3] = c3;
  }

  /** Uniform in [low, high): [0, 1) by default. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.word() / 2 ** 32);
  }

  /** Uniform integer in 0…count - 1. */
  integer(count: number): number {
    return Math.floor((this.word() / 2 ** 32) * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.word() / 2 ** 32 < probability;
  }

  /** One of the choices. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(choices.length)];
  }

  /** Mean 0, variance 1, nearly normal: the sum of four uniform numbers (at most √12 from 0). */
  normal(): number {
    return (this.uniform() + this.uniform() + this.uniform() + this.uniform() - 2) * Math.sqrt(3);
  }

  /** low · 2^(0…octaves), every octave as likely as any other. */
  octaves(low: number, octaves: number): number {
    return low * power2(this.uniform(0, octaves));
  }

  /** A direction: cosine and sine of a uniform angle. */
  direction(): readonly [number, number] {
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square > 1 || square < 1e-4) continue;
      const length = Math.sqrt(square);
      return [x / length, y / length];
    }
  }

  /** A direction whose tangent to the x axis is normal with standard deviation `spread`. */
  nearlyLevel(spread: number): readonly [number, number] {
    const tangent = spread * this.normal();
    const length = Math.sqrt(1 + tangent * tangent);
    return [1 / length, tangent / length];
  }
}

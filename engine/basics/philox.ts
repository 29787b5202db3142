/**
 * Philox 4×32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): random numbers as a pure
 * function of a key and a counter, so that nothing depends on how many were drawn before.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of an unsigned 32×32-bit product. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000)) >>> 0;
}

/** Four random 32-bit words for a 128-bit counter under a 64-bit key. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** A stream of random numbers: word `i` depends on (seed, stream, i) alone. */
export class Philox {
  readonly #key: readonly [number, number];
  readonly #stream: readonly [number, number];
  #index = 0;
  #block: readonly number[] = [];

  /** `seed` and `stream` are non-negative integers below 2^53. */
  constructor(seed: number, stream = 0) {
    this.#key = split(seed);
    this.#stream = split(stream);
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const lane = this.#index & 3;
    if (lane === 0) {
      const block = Math.floor(this.#index / 4);
      this.#block = philox4x32([...split(block), ...this.#stream], this.#key);
    }
    this.#index++;
    return this.#block[lane];
  }

  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform integer in [0, bound), without bias. */
  integer(bound: number): number {
    const limit = Math.floor(2 ** 32 / bound) * bound;
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % bound;
  }

  /** Normal with mean 0 and variance 1 (Box and Muller 1958). Takes two words. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A random order of 0 … length − 1 (Fisher–Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }
}

const split = (value: number): [number, number] => [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];

/**
 * Random numbers by place: those of a patch depend on a key and its index alone, not on which patches were visited before.
 */

/** A bijection of 32-bit words that changes every bit with probability 1/2 ("lowbias32" by Chris Wellons). */
function mixed(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

/** The odd number nearest to 2^32 / the golden ratio. */
const GOLDEN = 0x9e3779b9;

/** A sequence for each place: a counter from a start that is a hash of key and place, hashed. */
export class PlaceRandom {
  readonly #key: number;
  #counter = 0;

  /** `key`: any 32 bits. */
  constructor(key: number) {
    this.#key = mixed(key);
  }

  /** Begins the sequence of a place, an integer below 2^32. */
  moveTo(place: number): void {
    this.#counter = mixed(mixed(place + GOLDEN) ^ this.#key);
  }

  /** Uniform in [-1/2, 1/2). */
  next(): number {
    this.#counter = (this.#counter + GOLDEN) | 0;
    return mixed(this.#counter) / 2 ** 32;
  }
}

/** The noise of daala's `png2y4m`: KISS99 (Marsaglia 1999) from its default seed, triangular, as RGB offsets. */

/** Ranges of the noise in Y', Cb and Cr: one quantisation step of each in 16-bit units. */
const RANGES = [1223320000, 1479548743, 1255654969].map(range => {
  const count = range + 1;
  return { count, limit: Math.floor(0xffffffff / count) * count };
});

/** n / d, rounded half away from zero; exact for magnitudes below 2^43. */
function roundDivide(n: number, d: number): number {
  return Math.sign(n) * Math.floor((Math.abs(n) + d / 2) / d);
}

/** Offsets of every 2×2 block in raster order. The same for all pictures, so they are cached and extended on demand. */
export class DitherSource {
  #z = 362436069;
  #w = 521288629;
  #shifted = 123456789;
  #congruential = 380116160;
  #offsets = new Int16Array(0);
  #blocks = 0;

  /** At least `blocks` · 12 values: the offsets to 16-bit R, G, B of each block's four pixels. */
  offsets(blocks: number): Int16Array {
    if (blocks <= this.#blocks) return this.#offsets;
    const grown = new Int16Array(Math.max(blocks, 2 * this.#blocks) * 12);
    grown.set(this.#offsets.subarray(0, this.#blocks * 12));
    for (let block = this.#blocks; block < blocks; block++) {
      // All twelve numbers are drawn, but 4:2:0 uses the first pixel's chroma for the whole block.
      let [blockCb, blockCr] = [0, 0];
      for (let pixel = 0; pixel < 4; pixel++) {
        const luma = this.#triangular(0);
        const cb = this.#triangular(1);
        const cr = this.#triangular(2);
        if (pixel === 0) [blockCb, blockCr] = [cb, cr];
        const at = block * 12 + pixel * 3;
        grown[at] = roundDivide(2 * luma + 3 * blockCr, 8176000);
        grown[at + 1] = roundDivide(2384 * luma + 361 * blockCb + 1063 * blockCr, 9745792000);
        grown[at + 2] = roundDivide(2 * luma + 3 * blockCb, 8176000);
      }
    }
    this.#offsets = grown;
    this.#blocks = blocks;
    return grown;
  }

  #triangular(range: number): number {
    const { count, limit } = RANGES[range];
    const first = this.#below(limit) % count;
    return first - (this.#below(limit) % count);
  }

  #below(limit: number): number {
    for (;;) {
      const value = this.#next();
      if (value < limit) return value;
    }
  }

  #next(): number {
    this.#z = (Math.imul(36969, this.#z & 0xffff) + (this.#z >>> 16)) >>> 0;
    this.#w = (Math.imul(18000, this.#w & 0xffff) + (this.#w >>> 16)) >>> 0;
    this.#shifted ^= this.#shifted << 17;
    this.#shifted ^= this.#shifted >>> 13;
    this.#shifted ^= this.#shifted << 5;
    this.#congruential = (Math.imul(69069, this.#congruential) + 1234567) | 0;
    return (((((this.#z << 16) + this.#w) | 0) ^ this.#congruential) + this.#shifted) >>> 0;
  }
}

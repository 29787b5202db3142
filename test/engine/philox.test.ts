/** Philox 4×32-10 against the known answers of its authors' library, and the streams made of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Philox, philox4x32 } from '../../engine/basics/philox.ts';

type Block = [number, number, number, number];

/** Random123 1.14, tests/kat_vectors: philox4x32, 10 rounds: counter, key, result. */
const knownAnswers: readonly (readonly [Block, [number, number], Block])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(knownAnswers)('known answer for counter %j, key %j', (counter, key, result) => {
  expect(philox4x32(counter, key)).toEqual(result);
});

describe('a stream', () => {
  const words = (seed: number, stream: number, count: number) => {
    const numbers = new Philox(seed, stream);
    return Array.from({ length: count }, () => numbers.uint32());
  };

  test('is the blocks of its key, in order', () => {
    const [seed, stream] = [0x299f31d0a4093 % 2 ** 53, 7];
    const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as [number, number];
    const blocks = [0, 1, 2].flatMap(block => philox4x32([block, 0, stream, 0], key));
    expect(words(seed, stream, 12)).toEqual(blocks);
  });

  test('is another one for another seed or stream, also in the high bits', () => {
    const all = [words(1, 0, 4), words(2, 0, 4), words(1, 1, 4), words(1 + 2 ** 32, 0, 4), words(1, 2 ** 32, 4)];
    expect(new Set(all.map(String)).size).toBe(all.length);
    expect(words(1, 0, 4)).toEqual(all[0]);
  });

  test('uniform numbers lie in [0, 1) and fill it evenly', () => {
    const numbers = new Philox(3);
    const counts = new Array<number>(16).fill(0);
    const count = 64_000;
    for (let i = 0; i < count; i++) {
      const value = numbers.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      counts[Math.floor(value * 16)]++;
    }
    const chiSquared = counts.reduce((sum, n) => sum + (n - count / 16) ** 2 / (count / 16), 0);
    // 15 degrees of freedom: 37.7 is exceeded once in a thousand.
    expect(chiSquared).toBeLessThan(37.7);
  });

  test('integers lie below the bound and reach all of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(), (bound, seed) => {
        const numbers = new Philox(seed);
        const seen = new Set(Array.from({ length: bound * 20 }, () => numbers.integer(bound)));
        for (const value of seen) expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
        if (bound <= 8) expect(seen.size).toBe(bound);
      }),
      { seed: 1 },
    );
  });

  test('large bounds are not biased towards small numbers', () => {
    // 3 · 2^30: without rejection the lowest third would come up twice as often.
    const numbers = new Philox(11);
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 9000; i++) if (numbers.integer(bound) < 2 ** 30) low++;
    expect(Math.abs(low - 3000)).toBeLessThan(200);
  });

  test('permutations hold every number once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.nat(), (length, seed) => {
        const order = new Philox(seed).permutation(length);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        expect(new Philox(seed).permutation(length)).toEqual(order);
      }),
      { seed: 1 },
    );
    const orders = new Set(Array.from({ length: 600 }, (_, seed) => new Philox(seed).permutation(4).join('')));
    expect(orders.size, 'all orders of four').toBe(24);
  });
});

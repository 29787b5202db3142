import { describe, expect, test } from 'vitest';
import { LimitError } from '../../engine/basics/errors.ts';
import { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import type { AdapterTraits } from '../../engine/text/kernel.ts';
import { planTiles, type Rectangle, type Size } from '../../eval/tiles.ts';
import type { SRResNetOptions } from '../../models/srresnet.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { sharedDevice } from '../device.ts';
import { randomPlanes, trainedLike } from './trained-like.ts';

/** The part of a picture that a tile sees, channel by channel; `side` is the picture's width. */
function cut(planes: Float32Array, picture: Size, { x, y, width, height }: Rectangle): Float32Array {
  const part = new Float32Array(3 * width * height);
  for (let c = 0, to = 0; c < 3; c++)
    for (let row = y; row < y + height; row++, to += width) {
      const from = (c * picture.height + row) * picture.width + x;
      part.set(planes.subarray(from, from + width), to);
    }
  return part;
}

const times4 = ({ x, y, width, height }: Rectangle) => ({ x: 4 * x, y: 4 * y, width: 4 * width, height: 4 * height });
const bits = (numbers: Float32Array) => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Tiles' results beside the same parts of the whole picture's: how many floats differ, and how many tiles there were. */
async function compareTiles(upscaler: NetworkUpscaler, size: Size, tile: number, halo = upscaler.halo) {
  const planes = randomPlanes(size.width, size.height, tile);
  const whole = await upscaler.run(planes, size.height, size.width);
  const tiles = planTiles(size, { width: tile + 2 * halo, height: tile + 2 * halo }, halo);
  let different = 0;
  for (const { window, keep } of tiles) {
    const result = await upscaler.run(cut(planes, size, window), window.height, window.width);
    const inWindow = { ...keep, x: keep.x - window.x, y: keep.y - window.y };
    const got = bits(cut(result, times4({ ...window, x: 0, y: 0 }), times4(inWindow)));
    const expected = bits(cut(whole, times4({ ...size, x: 0, y: 0 }), times4(keep)));
    for (let i = 0; i < got.length; i += 4) if (got.readUint32LE(i) !== expected.readUint32LE(i)) different++;
  }
  return { different, tiles: tiles.length };
}

const everyAdapter: [string, Partial<AdapterTraits>][] = [
  ['the kernels of this adapter', {}],
  ['the plain kernels', { software: false, subgroupSize: 0 }],
];

describe.each(everyAdapter)('%s', (_, traits) => {
  sharedDevice({ traits });

  test.each([
    [13, 9, 8],
    [40, 33, 8],
    [40, 33, 16],
    [26, 23, 1],
    [1, 45, 5],
  ])('%ix%i in tiles of %i equals the whole, to the last bit of every float', async (width, height, tile) => {
    using net = trainedLike({ channels: 8, blocks: 1, seed: 2 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const { different, tiles } = await compareTiles(upscaler, { width, height }, tile);
    expect(different).toBe(0);
    if (Math.min(width, height) > tile + 2 * upscaler.halo) expect(tiles).toBeGreaterThan(1);
  });
});

describe('the halo', () => {
  sharedDevice();

  test('that is one too small shows in the tiles', async () => {
    using net = trainedLike({ channels: 8, blocks: 1, seed: 2 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const { different } = await compareTiles(upscaler, { width: 40, height: 33 }, 8, upscaler.halo - 1);
    expect(different).toBeGreaterThan(0);
  });

  test.each<SRResNetOptions & { blocks: number }>([
    { blocks: 0 },
    { blocks: 1 },
    { blocks: 1, slopes: 'layer', biases: true, middle: 'prelu' },
  ])('of %o is what a pixel reaches, exactly', async options => {
    const { blocks } = options;
    using net = trainedLike({ channels: 8, ...options, seed: 3 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const side = 2 * upscaler.halo + 5;
    const middle = upscaler.halo + 2;
    const planes = randomPlanes(side, side);
    const before = await upscaler.run(planes, side, side);
    // Large enough to survive every layer's rounding; PReLU passes both signs.
    for (let c = 0; c < 3; c++) planes[(c * side + middle) * side + middle] = 1e5;
    const after = await upscaler.run(planes, side, side);
    const reached = { rows: new Set<number>(), columns: new Set<number>() };
    after.forEach((value, i) => {
      if (value === before[i]) return;
      reached.rows.add(Math.floor(i / (4 * side)) % (4 * side));
      reached.columns.add(i % (4 * side));
    });
    // At the LR size 4 + 2B + 1 + 1 pixels, at the doubled size 1 (2 here), at the full size 4.
    const lr = 4 + 2 * blocks + 1 + 1;
    const first = 4 * (middle - lr) - 2 - 4;
    const last = 4 * (middle + lr) + 3 + 2 + 4;
    for (const found of [reached.rows, reached.columns]) {
      expect([Math.min(...found), Math.max(...found), found.size]).toEqual([first, last, last - first + 1]);
      expect([Math.floor(first / 4), Math.floor(last / 4)]).toEqual([middle - upscaler.halo, middle + upscaler.halo]);
    }
  });
});

describe('a pass', () => {
  const device = sharedDevice();

  test('runs in evaluation mode and leaves the network’s mode and statistics as they were', async () => {
    using net = trainedLike({ channels: 8, blocks: 1, seed: 4 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const before = await net.stateDict();
    const planes = randomPlanes(7, 5);
    const first = await upscaler.run(planes, 5, 7);
    expect(first).toHaveLength(3 * 20 * 28);
    expect(net.training).toBe(true);
    expect(net.bnMid?.training).toBe(true);
    net.eval();
    expect(await upscaler.run(planes, 5, 7)).toEqual(first);
    upscaler.bytes(5, 7);
    expect([net.training, net.bnMid?.training]).toEqual([false, false]);
    expect(await net.stateDict()).toEqual(before);
  });

  test('follows the weights, which may go on training between two passes', async () => {
    using net = trainedLike({ channels: 8, blocks: 1, seed: 4 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const planes = randomPlanes(7, 5);
    const before = await upscaler.run(planes, 5, 7);
    using other = trainedLike({ channels: 8, blocks: 1, seed: 5 });
    net.loadStateDict(await other.stateDict());
    using fresh = new NetworkUpscaler(other, 'other');
    const after = await upscaler.run(planes, 5, 7);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await fresh.run(planes, 5, 7));
  });

  test('keeps the memory of one size only, and none once disposed of', async () => {
    using net = trainedLike({ channels: 8, blocks: 1 });
    const { live } = device().memory.figures();
    const upscaler = new NetworkUpscaler(net, 'net');
    await upscaler.run(randomPlanes(9, 9), 9, 9);
    const held = device().memory.figures().live;
    await upscaler.run(randomPlanes(24, 24), 24, 24);
    await upscaler.run(randomPlanes(9, 9), 9, 9);
    expect(device().memory.figures().live).toBe(held);
    upscaler.dispose();
    expect(device().memory.figures().live).toBe(live);
  });

  test('goes on after one that the memory had no room for', async () => {
    using small = await Device.create({ memoryBudget: 4 * 2 ** 20 });
    setCurrentDevice(small);
    try {
      using net = trainedLike({ channels: 8, blocks: 1 });
      using upscaler = new NetworkUpscaler(net, 'net');
      const planes = randomPlanes(9, 9);
      const before = await upscaler.run(planes, 9, 9);
      const { live } = small.memory.figures();
      await expect(upscaler.run(randomPlanes(99, 99), 99, 99)).rejects.toThrow(/Out of GPU memory/);
      expect(await upscaler.run(planes, 9, 9)).toEqual(before);
      expect(small.memory.figures().live).toBe(live);
    } finally {
      setCurrentDevice(device());
    }
  });
});

describe('bytes', () => {
  const device = sharedDevice();

  /** Peak of a pass on a device that has done nothing else, the network's weights left out. */
  async function measured(options: SRResNetOptions, height: number, width: number) {
    using fresh = await Device.create();
    setCurrentDevice(fresh);
    try {
      using net = trainedLike(options);
      using upscaler = new NetworkUpscaler(net, 'net');
      const before = fresh.memory.figures().peak;
      const said = upscaler.bytes(height, width);
      expect(fresh.memory.figures().peak).toBe(before);
      await upscaler.run(randomPlanes(width, height), height, width);
      return { said, used: fresh.memory.figures().peak - before };
    } finally {
      setCurrentDevice(device());
    }
  }

  test.each([
    [8, 1, 1, 1],
    [8, 1, 7, 5],
    [8, 1, 40, 33],
    [8, 1, 96, 96],
    [8, 1, 16, 300],
    [3, 0, 40, 33],
  ])('%i channels, %i blocks, %ix%i: a bound, and no wide one', async (channels, blocks, height, width) => {
    await expectBound({ channels, blocks }, height, width);
  });

  test('of a network that chose otherwise than the paper’s', async () => {
    await expectBound(
      { channels: 8, blocks: 1, slopes: 'layer', biases: true, middle: 'prelu', output: 'tanh' },
      40,
      33,
    );
  });

  async function expectBound(options: SRResNetOptions, height: number, width: number): Promise<void> {
    const { said, used } = await measured(options, height, width);
    expect(said).toBeGreaterThanOrEqual(used);
    // Sides count as multiples of 8 and the buffer of the readback is counted, which the pool does not know.
    expect(said).toBeLessThan(1.35 * used + 300_000);
  }

  test('never fall where a side grows', () => {
    using net = trainedLike({ channels: 8, blocks: 1 });
    using upscaler = new NetworkUpscaler(net, 'net');
    const costs = [(side: number) => upscaler.bytes(side, 50), (side: number) => upscaler.bytes(50, side)];
    for (const cost of costs)
      for (let side = 2; side < 200; side++) expect(cost(side)).toBeGreaterThanOrEqual(cost(side - 1));
  });

  test('are infinite exactly where the adapter would refuse', async () => {
    // A limit that small pictures reach already.
    using limited = await Device.create();
    Object.assign(limited, { traits: { ...limited.traits, maxBindingBytes: 2 ** 20 } });
    setCurrentDevice(limited);
    try {
      using net = trainedLike({ channels: 8, blocks: 1 });
      using upscaler = new NetworkUpscaler(net, 'net');
      const sides = Array.from({ length: 12 }, (_, i) => 8 * (i + 1));
      const finite = sides.filter(side => Number.isFinite(upscaler.bytes(side, side)));
      expect(finite.length).toBeGreaterThan(0);
      expect(finite).toEqual(sides.slice(0, finite.length));
      const largest = finite.at(-1)!;
      await upscaler.run(randomPlanes(largest, largest), largest, largest);
      const beyond = largest + 8;
      expect(upscaler.bytes(beyond, beyond)).toBe(Number.POSITIVE_INFINITY);
      await expect(upscaler.run(randomPlanes(beyond, beyond), beyond, beyond)).rejects.toThrow(LimitError);
    } finally {
      setCurrentDevice(device());
    }
  });
});

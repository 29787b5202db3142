import { expect, test } from 'vitest';
import { TileError } from '../../eval/errors.ts';
import { chooseWindow } from '../../eval/tiles.ts';
import { DEFAULT_MEMORY_BUDGET, Windows } from '../../eval/windows.ts';

/** A pass takes 1,000 bytes per pixel. */
const costs = { halo: 3, bytes: (height: number, width: number) => 1000 * height * width };
const picture = { width: 100, height: 60 };

test('a window is what the budget allows, by default 1 GiB', () => {
  expect(DEFAULT_MEMORY_BUDGET).toBe(1_073_741_824);
  expect(new Windows(costs).choose(picture)).toEqual(picture);
  const large = { width: 2000, height: 2000 };
  expect(new Windows(costs).choose(large)).toEqual(chooseWindow(large, costs, 2 ** 30));
  const budget = 1_000_000;
  const window = new Windows(costs, { memoryBudget: budget }).choose(picture);
  expect(window).toEqual(chooseWindow(picture, costs, budget));
  expect(costs.bytes(window.height, window.width)).toBeLessThanOrEqual(budget);
});

test('a given tile gets its halo on both sides, whatever the budget; 0 is the whole picture', () => {
  expect(new Windows(costs, { tile: 10, memoryBudget: 1 }).choose(picture)).toEqual({ width: 16, height: 16 });
  expect(new Windows(costs, { tile: 1 }).choose(picture)).toEqual({ width: 7, height: 7 });
  expect(new Windows(costs, { tile: 0, memoryBudget: 1 }).choose(picture)).toEqual(picture);
  for (const tile of [-1, 1.5, Number.NaN])
    expect(() => new Windows(costs, { tile }).choose(picture)).toThrow(
      `Expected a tile size of 0 (no tiles) or a positive integer, got ${tile}.`,
    );
});

test('after a window failed, all later ones take half its memory, also with a given tile', () => {
  for (const tile of [undefined, 0, 40]) {
    const windows = new Windows(costs, { tile });
    // Of a window that is larger than the picture only the picture was computed.
    const smaller = windows.halve(picture, { width: 400, height: 60 }, new Error('full'));
    expect(smaller).toEqual(chooseWindow(picture, costs, costs.bytes(60, 100) / 2));
    expect(windows.choose(picture)).toEqual(smaller);
    const again = windows.halve(picture, { width: 40, height: 40 }, new Error('full'));
    expect(again).toEqual(chooseWindow(picture, costs, costs.bytes(40, 40) / 2));
    // A larger window of another picture cannot raise the limit.
    windows.halve(picture, picture, new Error('full'));
    expect(windows.choose(picture)).toEqual(again);
  }
});

test('a window that the adapter cannot run at all is replaced by one within the default budget', () => {
  const limited = { halo: 3, bytes: (h: number, w: number) => (h * w > 2000 ? Number.POSITIVE_INFINITY : h * w) };
  const windows = new Windows(limited, { tile: 0 });
  expect(windows.halve(picture, picture, new Error('limit'))).toEqual(chooseWindow(picture, limited, 2 ** 30));
});

test('without a smaller window the error names the tile and the cause, and the limit stays', () => {
  const windows = new Windows(costs, { tile: 20 });
  const cause = new Error('The driver says no.');
  const failing = () => windows.halve(picture, { width: 8, height: 200 }, cause);
  expect(failing).not.toThrow();
  const smallest = { width: 8, height: 8 };
  let thrown: unknown;
  try {
    windows.halve(picture, smallest, cause);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TileError);
  expect(thrown).toMatchObject({
    message:
      'Cannot upscale: a tile of 8x8 pixels needs too much GPU memory, and no smaller tile is possible. The driver says no.',
    cause,
  });
  expect(windows.choose(picture)).toEqual(chooseWindow(picture, costs, costs.bytes(60, 8) / 2));
});

test('other errors while a smaller window is sought are passed on', () => {
  let calls = 0;
  const broken = {
    halo: 3,
    bytes: () => {
      // The first is for the window that failed.
      if (++calls > 1) throw new RangeError('broken');
      return 1000;
    },
  };
  expect(() => new Windows(broken).halve(picture, picture, new Error('full'))).toThrow(RangeError);
});

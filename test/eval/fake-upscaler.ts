/** A small convolutional ×4 network on the CPU, zero-padded at every layer, for the tests of tiling. */

import type { Upscaler } from '../../eval/upscale.ts';

/** Layers of 3×3 before the pixel shuffle; one more comes after it, at four times the size. */
const DEPTH = 3;

/** DEPTH pixels, and the layer after the shuffle reaches into the next LR pixel. */
export const FAKE_HALO = DEPTH + 1;

/** Weights [to][from][9] that are different for every tap and have no symmetry. */
const weights = (layer: number, to: number, from: number) =>
  Float32Array.from({ length: to * from * 9 }, (_, i) => Math.sin(layer * 7.3 + i * 0.83 + 0.4) * 0.3);

/** 3×3, zeros beyond the edges, every sum in the same order wherever it is. [from][h][w] → [to][h][w]. */
function convolve(planes: Float32Array, layer: number, from: number, to: number, height: number, width: number) {
  const out = new Float32Array(to * height * width);
  const kernel = weights(layer, to, from);
  for (let o = 0, at = 0; o < to; o++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        let sum = 0.1 * (o + 1);
        for (let i = 0; i < from; i++) {
          for (let tap = 0; tap < 9; tap++) {
            const v = y + Math.floor(tap / 3) - 1;
            const u = x + (tap % 3) - 1;
            const inside = v >= 0 && v < height && u >= 0 && u < width;
            sum += kernel[(o * from + i) * 9 + tap] * (inside ? planes[(i * height + v) * width + u] : 0);
          }
        }
        out[at] = sum;
      }
    }
  }
  return out;
}

/** [c·16][h][w] → [c][4h][4w], PyTorch's order. */
function shuffle(planes: Float32Array, channels: number, height: number, width: number): Float32Array {
  const out = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < 4 * height; y++) {
      for (let x = 0; x < 4 * width; x++) {
        const plane = c * 16 + (y % 4) * 4 + (x % 4);
        out[(c * 4 * height + y) * 4 * width + x] = planes[(plane * height + (y >> 2)) * width + (x >> 2)];
      }
    }
  }
  return out;
}

/** The windows that the network has been run on, and the network. */
export interface FakeUpscaler extends Upscaler {
  readonly windows: string[];
}

/** `halo`: what the network claims; smaller ones than FAKE_HALO are lies. It "takes" 100 bytes a pixel. */
export function fakeUpscaler(halo = FAKE_HALO): FakeUpscaler {
  const windows: string[] = [];
  return {
    name: 'fake',
    scale: 4,
    halo,
    windows,
    bytes: (height, width) => 100 * height * width,
    async run(planes, height, width) {
      windows.push(`${width}x${height}`);
      const channels = [3, 4, 4, 48];
      let y = planes;
      for (let layer = 0; layer < DEPTH; layer++) {
        y = convolve(y, layer, channels[layer], channels[layer + 1], height, width).map(Math.tanh);
      }
      return convolve(shuffle(y, 3, height, width), DEPTH, 3, 3, 4 * height, 4 * width);
    },
  };
}

/** A network that gives each LR sample 16 times as 2x - 1, through `change`: nearest neighbour, if that does nothing. */
export function repeatingUpscaler(change: (y: number) => number = y => y): Upscaler {
  return {
    name: 'repeating',
    scale: 4,
    halo: 0,
    bytes: (height, width) => 100 * height * width,
    async run(planes, height, width) {
      const out = new Float32Array(planes.length * 16);
      for (let i = 0; i < out.length; i++) {
        const [x, row] = [i % (4 * width), Math.floor(i / (4 * width))];
        const [c, y] = [Math.floor(row / (4 * height)), row % (4 * height)];
        out[i] = change(2 * planes[(c * height + (y >> 2)) * width + (x >> 2)] - 1);
      }
      return out;
    },
  };
}

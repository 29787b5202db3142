/** Pictures and runners for the tests of SelfExSR. */

import { syntheticPicture } from '../../../image/synthetic.ts';
import type { RgbPlanes } from '../../../methods/declaration.ts';
import { LocalRunner, type Pass, type PassControl, type Runner } from '../../../methods/passes.ts';
import { type Field, fieldFor, STRIDE } from '../../../methods/selfexsr/field.ts';
import { type Layer, layerFor } from '../../../methods/selfexsr/resample.ts';

export const local = new LocalRunner();

/** An image of samples by formula. */
export function layerOf(width: number, height: number, sample: (x: number, y: number, c: number) => number): Layer {
  const layer = layerFor(local, width, height);
  for (let i = 0; i < layer.data.length; i++) {
    const pixel = Math.floor(i / 3);
    layer.data[i] = sample(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return layer;
}

/** Different in every sample, and the same in every run. */
export const noise = (width: number, height: number, salt = 0): Layer =>
  layerOf(
    width,
    height,
    (x, y, c) => (Math.imul(((y * width + x) * 3 + c + 1) * (salt + 1), 2654435761) >>> 8) / 2 ** 24,
  );

/** A field whose patches have the transforms that `of` gives. */
export function fieldOf(width: number, height: number, of: (x: number, y: number) => readonly number[]): Field {
  const field = fieldFor(local, width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) field.transforms.set(of(x, y), (y * width + x) * STRIDE);
  }
  return field;
}

/** A synthetic picture as planes. */
export function scene(width: number, height: number, seed = 1): RgbPlanes {
  const { data } = syntheticPicture(seed, 0, Math.max(16, width), Math.max(16, height));
  const stride = Math.max(16, width);
  const plane = (c: number) =>
    Float32Array.from({ length: width * height }, (_, i) => {
      return data[(Math.floor(i / width) * stride + (i % width)) * 3 + c] / 255;
    });
  return { width, height, planes: [plane(0), plane(1), plane(2)] };
}

/** Divides each pass into `parts` and runs the last first. */
export class BackwardRunner implements Runner {
  readonly #parts: number;

  constructor(parts: number) {
    this.#parts = parts;
  }

  memory(bytes: number): ArrayBufferLike {
    return new SharedArrayBuffer(bytes);
  }

  async run<T extends object>({ work }: Pass<T>, data: T, items: number, { onDone }: PassControl = {}): Promise<void> {
    const bound = (part: number) => Math.floor((items * part) / this.#parts);
    for (let part = this.#parts - 1; part >= 0; part--) {
      if (bound(part) < bound(part + 1)) work(structuredClone(data), bound(part), bound(part + 1));
    }
    onDone?.(items);
  }
}

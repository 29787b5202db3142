/** Upscales images of any size with a trained SRResNet. */

import { OutOfMemoryError } from '../engine/basics/errors.ts';
import { type Compiled, compile } from '../engine/compile.ts';
import { sizeClass } from '../engine/device/memory.ts';
import { footprint } from '../engine/footprint.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { type SRResNet, srresnetHalo } from './srresnet.ts';

/** Bytes as functions of height and width in LR pixels. They never decrease as a side grows. */
interface Costs {
  readonly temporaries: (height: number, width: number) => number;
  readonly largestBinding: (height: number, width: number) => number;
}

/** Heights and widths that are planned to estimate all others. */
const PROBES = [
  [64, 64],
  [128, 64],
  [64, 128],
  [128, 128],
] as const;

/** Kernels may work on blocks of pixels: sides are rounded up to a multiple of this. */
const BLOCK = 8;

/**
 * The function a·h·w + b·h + c·w + d through the values at the probes. Buffer sizes have this form: pixels, plus padding for
 * each row or column. Below the probes, where other buffers may be the largest, it is never less than d.
 */
function bilinear([low, tall, wide, high]: readonly number[]): (height: number, width: number) => number {
  const side = 64;
  const a = Math.max(0, (high - tall - wide + low) / side ** 2);
  const b = Math.max(0, (tall - low) / side - a * side);
  const c = Math.max(0, (wide - low) / side - a * side);
  const d = Math.max(0, low - a * side ** 2 - (b + c) * side);
  const blocks = (length: number) => Math.ceil(length / BLOCK) * BLOCK;
  return (height, width) => {
    const [h, w] = [blocks(height), blocks(width)];
    return a * h * w + b * h + c * w + d;
  };
}

/**
 * Runs a network in evaluation mode on LR images (or tiles) of any size. Kernels take sizes as arguments, so a new size
 * compiles nothing, and every pixel is computed in the same order for every size: tiles equal the whole image.
 */
export class SRResNetUpscaler implements Disposable {
  readonly name: string;
  readonly scale = 4;
  /** LR pixels on each side that an output pixel depends on. */
  readonly halo: number;
  /** Padding around an image; see `SRResNetConfig`. */
  readonly edges: 'mirror' | 'zero';
  readonly #net: SRResNet;
  #program: Compiled<[Tensor], Tensor> | undefined;
  #size = '';
  #costs: Costs | undefined;

  constructor(net: SRResNet, name: string) {
    this.name = name;
    this.halo = srresnetHalo(net.config);
    this.edges = net.config.edges;
    this.#net = net;
  }

  /** Peak GPU bytes of a pass over h×w LR pixels; Infinity if a tensor exceeds the adapter's binding limit. */
  bytes(height: number, width: number): number {
    const { traits } = this.#net.convIn.weight.device;
    this.#costs ??= this.#measure();
    if (this.#costs.largestBinding(height, width) > traits.maxBindingBytes) return Number.POSITIVE_INFINITY;
    const [input, output] = [3 * height * width * 4, 48 * height * width * 4];
    const readback = 2 ** Math.ceil(Math.log2(output));
    return Math.ceil(this.#costs.temporaries(height, width)) + sizeClass(input) + sizeClass(output) + readback;
  }

  /** Memory of the kernels chosen for this network and adapter, from four plans. */
  #measure(): Costs {
    const plans = PROBES.map(([height, width]) =>
      this.#evaluating(() =>
        footprint(
          this.#net.convIn.weight.device,
          [{ shape: [1, 3, height, width], dtype: 'f32' }],
          x => this.#net.forward(x),
          false,
        ),
      ),
    );
    return {
      temporaries: bilinear(plans.map(plan => plan.temporaries)),
      largestBinding: bilinear(plans.map(plan => plan.largestBinding)),
    };
  }

  /** Runs `body` with the network in evaluation mode. */
  #evaluating<T>(body: () => T): T {
    const { training } = this.#net;
    this.#net.eval();
    try {
      return body();
    } finally {
      this.#net.train(training);
    }
  }

  /**
   * Planar RGB in [0, 1], [3][h][w], to planar RGB in about [-1, 1], [3][4h][4w]. If memory runs out, the pass releases all
   * its memory, so a smaller one can be tried.
   */
  async run(planes: Float32Array, height: number, width: number): Promise<Float32Array> {
    try {
      return await this.#pass(planes, height, width);
    } catch (error) {
      this.dispose();
      if (error instanceof OutOfMemoryError) await this.#recover();
      throw error;
    }
  }

  async #pass(planes: Float32Array, height: number, width: number): Promise<Float32Array> {
    const size = `${height}x${width}`;
    if (size !== this.#size) {
      // A program keeps its memory: keep only one size.
      this.#program?.dispose();
      this.#program = compile((x: Tensor) => this.#net.forward(x), { baked: false });
      this.#size = size;
    }
    const { device } = this.#net.convIn.weight;
    using lr = tensor(planes, [1, 3, height, width], { device });
    using sr = this.#evaluating(() => this.#program!(lr));
    return await sr.data();
  }

  /** Buffers that the driver refused may be in the pool, and their use is later reported as invalid. */
  async #recover(): Promise<void> {
    const { device } = this.#net.convIn.weight;
    device.memory.trim();
    // The next call reports a lost device again.
    await device.finished().catch(() => undefined);
  }

  /** Releases the program's memory; the network stays. */
  dispose(): void {
    this.#program?.dispose();
    this.#program = undefined;
    this.#size = '';
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

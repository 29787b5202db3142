/** Runs trained upscaling networks on images of any size. */

import { OutOfMemoryError } from '../engine/basics/errors.ts';
import { type Compiled, compile } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import { sizeClass } from '../engine/device/memory.ts';
import { footprint } from '../engine/footprint.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { WeightsError } from '../nn/module.ts';
import type { NetworkImages, NetworkModule } from './network.ts';

/** Bytes as functions of height and width of the input in pixels. They never decrease as a side grows. */
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
 * Runs a network in evaluation mode on images (or tiles) of any size. Kernels take sizes as arguments, so a new size
 * compiles nothing, and every pixel is computed in the same order for every size: tiles equal the whole image.
 */
export class NetworkUpscaler implements Disposable {
  /** For messages. */
  readonly name: string;
  /** The result's sides over the picture's. */
  readonly scale: number;
  /** Pixels of the network's input on each side that an output pixel depends on. */
  readonly halo: number;
  /** What the network reads and gives. */
  readonly images: NetworkImages;
  readonly #net: NetworkModule;
  readonly #device: Device;
  /** Planes of input and output. */
  readonly #planes: 1 | 3;
  /** The output's sides over the input's. */
  readonly #factor: number;
  #program: Compiled<[Tensor], Tensor> | undefined;
  #size = '';
  #costs: Costs | undefined;

  /** Throws WeightsError for a network that does not upscale. */
  constructor(net: NetworkModule, name: string) {
    const { network, config } = net;
    if (network.role !== 'upscaler') throw new WeightsError(`${name}: a ${network.label} does not upscale.`);
    this.name = name;
    this.scale = network.scale;
    this.halo = network.halo(config);
    this.images = network.images(config);
    this.#planes = this.images.colour === 'rgb' ? 3 : 1;
    this.#factor = this.images.enlarged ? 1 : network.scale;
    this.#net = net;
    this.#device = net.parameters()[0].device;
  }

  /** Peak GPU bytes of a pass over h×w input pixels; Infinity if a tensor exceeds the adapter's binding limit. */
  bytes(height: number, width: number): number {
    const { traits } = this.#device;
    this.#costs ??= this.#measure();
    if (this.#costs.largestBinding(height, width) > traits.maxBindingBytes) return Number.POSITIVE_INFINITY;
    const input = this.#planes * height * width * 4;
    const output = input * this.#factor ** 2;
    const readback = 2 ** Math.ceil(Math.log2(output));
    return Math.ceil(this.#costs.temporaries(height, width)) + sizeClass(input) + sizeClass(output) + readback;
  }

  /** Memory of the kernels chosen for this network and adapter, from four plans. */
  #measure(): Costs {
    const plans = PROBES.map(([height, width]) =>
      this.#evaluating(() =>
        footprint(
          this.#device,
          [{ shape: [1, this.#planes, height, width], dtype: 'f32' }],
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
   * Planes of the input, [planes][h][w], to those of the output, as `images` describes them. If memory runs out, the pass
   * releases all its memory, so a smaller one can be tried.
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
    using lr = tensor(planes, [1, this.#planes, height, width], { device: this.#device });
    using sr = this.#evaluating(() => this.#program!(lr));
    return await sr.data();
  }

  /** Buffers that the driver refused may be in the pool, and their use is later reported as invalid. */
  async #recover(): Promise<void> {
    this.#device.memory.trim();
    // The next call reports a lost device again.
    await this.#device.finished().catch(() => undefined);
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

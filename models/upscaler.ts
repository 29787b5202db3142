/** A trained SRResNet as something that enlarges pictures of any size. */
import { type Compiled, compile } from '../engine/compile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { type SRResNet, srresnetHalo } from './srresnet.ts';

/**
 * Runs a network in evaluation mode on LR pictures (or tiles) of any size. Kernels take sizes as arguments, so that a
 * new size compiles nothing, and every pixel is computed in the same order whatever the size: tiles equal the whole.
 */
export class SRResNetUpscaler implements Disposable {
  readonly name: string;
  readonly scale = 4;
  /** LR pixels around an output pixel on which it depends. */
  readonly halo: number;
  readonly #net: SRResNet;
  #program: Compiled<[Tensor], Tensor> | undefined;
  #size = '';

  constructor(net: SRResNet, name: string) {
    this.name = name;
    this.halo = srresnetHalo(net.config);
    this.#net = net;
  }

  /** GPU bytes of a pass over h×w LR pixels at its peak; Infinity where a tensor exceeds what the adapter can bind. */
  bytes(height: number, width: number): number {
    const { channels } = this.#net.config;
    const { device } = this.#net.convIn.weight;
    // The largest tensors: features at full size, and as many before the last pixel shuffle.
    const largest = 16 * channels * height * width * 4;
    return largest > device.traits.maxBindingBytes ? Number.POSITIVE_INFINITY : Math.ceil(2.5 * largest);
  }

  /** Planar RGB in [0, 1], [3][h][w], to planar RGB about [-1, 1], [3][4h][4w]. */
  async run(planes: Float32Array, height: number, width: number): Promise<Float32Array> {
    const size = `${height}x${width}`;
    if (size !== this.#size) {
      // A program's memory stays with it: keep one size's.
      this.#program?.dispose();
      this.#program = compile((x: Tensor) => this.#net.forward(x), { baked: false });
      this.#size = size;
    }
    const { training } = this.#net;
    const { device } = this.#net.convIn.weight;
    using lr = tensor(planes, [1, 3, height, width], { device });
    this.#net.eval();
    try {
      using sr = this.#program!(lr);
      return await sr.data();
    } finally {
      this.#net.train(training);
    }
  }

  /** Gives the program's memory back; the network stays. */
  dispose(): void {
    this.#program?.dispose();
    this.#program = undefined;
    this.#size = '';
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Random crops for training: pictures rest on the GPU as bytes, and seed and step say which crops make a batch. */
import type { Device } from '../engine/device.ts';
import { DaybreakError } from '../engine/errors.ts';
import { Philox } from '../engine/philox.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import type { Picture } from '../image/picture.ts';
import { CROP_WORDS, crops } from '../kernels/crops.ts';

export interface CropOptions {
  /** Crops a batch. */
  readonly batch: number;
  /** Side of HR crops in pixels, a multiple of 4. */
  readonly crop: number;
  readonly seed: number;
  /** Mirror at random. */
  readonly flips: boolean;
  /** Turn by multiples of 90 degrees at random. */
  readonly rotations: boolean;
  /** Every batch is the first one. Default: false. */
  readonly overfitBatch?: boolean;
  /** Bytes of pictures that share a buffer on the GPU; a larger picture has one of its own. Default: 64 MiB. */
  readonly chunkBytes?: number;
}

/** An original and its quarter, both RGB. */
export interface PicturePair {
  readonly hr: Picture;
  readonly lr: Picture;
}

interface Placed {
  readonly chunk: number;
  readonly hr: number;
  readonly lr: number;
  readonly pair: PicturePair;
}

/** Streams of the seed's random numbers: those of crops begin at these, one a step or epoch. */
const CROPS = 2 ** 40;
const ORDER = 2 ** 41;

/** Large sets do not need one huge buffer. Bytes. */
const CHUNK_BYTES = 2 ** 26;

/** Pictures on the GPU, and the batches that are cut from them. */
export class CropSource implements Disposable {
  readonly options: CropOptions;
  readonly #chunks: readonly Tensor[];
  readonly #placed: readonly Placed[];
  #order: { epoch: number; pictures: Uint32Array } | undefined;

  /** Uploads the pictures. Throws DaybreakError where one is smaller than a crop, or larger than a binding. */
  constructor(device: Device, pictures: readonly PicturePair[], options: CropOptions) {
    if (pictures.length === 0) throw new DaybreakError('CropSource: needs at least one picture.');
    this.options = options;
    const { maxBindingBytes } = device.traits;
    const limit = Math.min(options.chunkBytes ?? CHUNK_BYTES, maxBindingBytes);
    const placed: Placed[] = [];
    const sizes: number[] = [];
    for (const pair of pictures) {
      const bytes = pair.hr.data.length + pair.lr.data.length;
      if (Math.min(pair.hr.width, pair.hr.height) < options.crop)
        throw new DaybreakError(
          `CropSource: a picture of ${pair.hr.width}x${pair.hr.height} is smaller than crops of ${options.crop}.`,
        );
      if (bytes > maxBindingBytes)
        throw new DaybreakError(
          `CropSource: a picture of ${pair.hr.width}x${pair.hr.height} with its quarter takes ${bytes} bytes, the adapter ` +
            `binds at most ${maxBindingBytes}: cut it into several files.`,
        );
      if (sizes.length === 0 || sizes.at(-1)! + bytes > limit) sizes.push(0);
      const hr = sizes.at(-1)!;
      placed.push({ chunk: sizes.length - 1, hr, lr: hr + pair.hr.data.length, pair });
      sizes[sizes.length - 1] = hr + bytes;
    }
    this.#placed = placed;
    this.#chunks = sizes.map((size, chunk) => {
      const bytes = new Uint8Array(Math.ceil(size / 4) * 4);
      for (const { chunk: own, hr, lr, pair } of placed) {
        if (own !== chunk) continue;
        bytes.set(pair.hr.data, hr);
        bytes.set(pair.lr.data, lr);
      }
      return tensor(new Uint32Array(bytes.buffer), [bytes.length / 4], { device });
    });
  }

  /** Which crops batch `step` is made of, from 0: [batch, 8] words, see `kernels/crops.ts`. */
  plan(step: number): Uint32Array<ArrayBuffer> {
    const { batch, crop, seed, flips, rotations, overfitBatch } = this.options;
    const number = overfitBatch ? 0 : step;
    const random = new Philox(seed, CROPS + number);
    const words = new Uint32Array(batch * CROP_WORDS);
    for (let i = 0; i < batch; i++) {
      const { chunk, hr, lr, pair } = this.#placed[this.#picture(number * batch + i)]!;
      const x = random.integer(pair.lr.width - crop / 4 + 1);
      const y = random.integer(pair.lr.height - crop / 4 + 1);
      const mirror = random.integer(4) & (flips ? 3 : 0);
      // A quarter turn is an exchange of rows and columns and a mirroring; a half turn two mirrorings.
      const turn = random.integer(4) * (rotations ? 1 : 0);
      const orientation = mirror ^ [0, 4 | 1, 3, 4 | 2][turn]!;
      words.set([chunk, hr, pair.hr.width, lr, pair.lr.width, x, y, orientation], i * CROP_WORDS);
    }
    return words;
  }

  /** The batch of a plan: LR in [0, 1], HR in [-1, 1]. To be traced. */
  gather(plan: Tensor): { lr: Tensor; hr: Tensor } {
    const { batch, crop } = this.options;
    return crops(this.#chunks, plan, { batch, side: crop / 4 });
  }

  /**
   * Each picture comes once in every round, in a new order each time. So crops of a batch are of distinct pictures, but
   * where a batch holds the end of one round and the beginning of the next.
   */
  #picture(index: number): number {
    const { length } = this.#placed;
    const epoch = Math.floor(index / length);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, pictures: new Philox(this.options.seed, ORDER + epoch).permutation(length) };
    return this.#order.pictures[index % length]!;
  }

  dispose(): void {
    for (const chunk of this.#chunks) chunk.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

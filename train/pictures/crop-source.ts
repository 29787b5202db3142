/** Batches of random crops from pictures that are stored on the GPU as bytes. */

import { DaybreakError } from '../../engine/basics/errors.ts';
import type { Shape } from '../../engine/basics/shape.ts';
import type { Device } from '../../engine/device/device.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import type { Picture } from '../../image/picture.ts';
import { CROP_WORDS, crops } from '../kernels/crops.ts';
import { type CropOptions, CropPlan } from './crop-plan.ts';

/** Provides the batches of a training. The same pictures and options give the same batches, bit for bit. */
export interface BatchSource extends Disposable {
  /** How crops are drawn. */
  readonly options: CropOptions;
  /** Shape of the u32 tensor that `batch` returns. */
  readonly shape: Shape;
  /** The input of `gather` for batch `step`, from 0; the caller disposes of it. A promise if pictures must be read. */
  batch(step: number): Tensor | Promise<Tensor>;
  /** LR [batch, 3, crop/4, crop/4] in [0, 1] and HR [batch, 3, crop, crop] in [-1, 1]. Can be compiled. */
  gather(batch: Tensor): { lr: Tensor; hr: Tensor };
}

/** Options of {@link CropSource}. */
export interface ResidentOptions extends CropOptions {
  /** Maximum bytes of pictures that share a GPU buffer; a larger picture gets its own. Default: 64 MiB. */
  readonly chunkBytes?: number;
}

/** An HR picture and its LR version, with a quarter of the width and height; both RGB. */
export interface PicturePair {
  /** The original. */
  readonly hr: Picture;
  /** The same at a quarter of the width and height. */
  readonly lr: Picture;
}

interface UploadedPicture {
  /** Index of its buffer. */
  readonly chunk: number;
  /** Byte offsets of the HR and the LR picture in the buffer. */
  readonly hr: number;
  readonly lr: number;
  readonly pair: PicturePair;
}

/** Large sets are split into buffers of this many bytes. */
const CHUNK_BYTES = 2 ** 26;

/** Cuts batches from pictures on the GPU; each step only uploads its plan. */
export class CropSource implements BatchSource {
  /** How crops are drawn. */
  readonly options: CropOptions;
  readonly shape: Shape;
  readonly #device: Device;
  readonly #plan: CropPlan;
  readonly #chunks: readonly Tensor[];
  readonly #pictures: readonly UploadedPicture[];

  /** Uploads the pictures. @throws DaybreakError if one is smaller than a crop or larger than a binding. */
  constructor(device: Device, pictures: readonly PicturePair[], options: ResidentOptions) {
    this.#plan = new CropPlan(
      pictures.map(({ hr }) => hr),
      options,
    );
    this.#device = device;
    this.options = options;
    this.shape = [options.batch, CROP_WORDS];
    const { maxBindingBytes } = device.traits;
    const limit = Math.min(options.chunkBytes ?? CHUNK_BYTES, maxBindingBytes);
    const uploaded: UploadedPicture[] = [];
    const sizes: number[] = [];
    for (const pair of pictures) {
      const bytes = pair.hr.data.length + pair.lr.data.length;
      if (bytes > maxBindingBytes)
        throw new DaybreakError(
          `CropSource: a picture of ${pair.hr.width}x${pair.hr.height} with its LR takes ${bytes} bytes, but the adapter ` +
            `binds at most ${maxBindingBytes}; split it into several files.`,
        );
      if (sizes.length === 0 || sizes.at(-1)! + bytes > limit) sizes.push(0);
      const hr = sizes.at(-1)!;
      uploaded.push({ chunk: sizes.length - 1, hr, lr: hr + pair.hr.data.length, pair });
      sizes[sizes.length - 1] = hr + bytes;
    }
    this.#pictures = uploaded;
    this.#chunks = sizes.map((size, chunk) => {
      const bytes = new Uint8Array(Math.ceil(size / 4) * 4);
      for (const { chunk: own, hr, lr, pair } of uploaded) {
        if (own !== chunk) continue;
        bytes.set(pair.hr.data, hr);
        bytes.set(pair.lr.data, lr);
      }
      return tensor(new Uint32Array(bytes.buffer), [bytes.length / 4], { device });
    });
  }

  /** The crops of batch `step`, from 0: [batch, 8] words, see `train/kernels/crops.ts`. */
  plan(step: number): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(this.options.batch * CROP_WORDS);
    for (const [i, { picture, x, y, orientation }] of this.#plan.crops(step).entries()) {
      const { chunk, hr, lr, pair } = this.#pictures[picture];
      words.set([chunk, hr, pair.hr.width, lr, pair.lr.width, x, y, orientation], i * CROP_WORDS);
    }
    return words;
  }

  batch(step: number): Tensor {
    return tensor(this.plan(step), this.shape, { device: this.#device });
  }

  gather(plan: Tensor): { lr: Tensor; hr: Tensor } {
    const { batch, crop } = this.options;
    return crops(this.#chunks, plan, { batch, side: crop / 4 });
  }

  /** Frees the pictures' memory. */
  dispose(): void {
    for (const chunk of this.#chunks) chunk.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Batches of random crops from pictures in a file. Worker threads read them while the GPU processes earlier batches. */
import { availableParallelism } from 'node:os';
import type { Shape } from '../../engine/basics/shape.ts';
import type { Device } from '../../engine/device/device.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { crops } from '../kernels/crops.ts';
import { type CropOptions, CropPlan } from './crop-plan.ts';
import type { BatchSource } from './crop-source.ts';
import { batchBytes, squaresOf, writeWords } from './packed-crops.node.ts';
import type { PackedPictures } from './picture-store.node.ts';
import { PictureWorkers } from './workers.node.ts';

/** Batches to read in advance: a few, in case the disk is slow for a moment. */
const AHEAD = 4;

/** More threads would wait for the same disk, and on a software adapter take time from the GPU. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

export class StreamedCrops implements BatchSource {
  readonly options: CropOptions;
  readonly shape: Shape;
  readonly #device: Device;
  readonly #plan: CropPlan;
  readonly #set: PackedPictures;
  readonly #workers: PictureWorkers;
  /** Requested batches by number. Together with the free buffers there are always AHEAD. */
  readonly #coming = new Map<number, Promise<ArrayBuffer>>();
  readonly #free: ArrayBuffer[];

  /**
   * @param workers are disposed of with this object; the file is not.
   * @throws DaybreakError if a picture is smaller than a crop.
   */
  constructor(
    device: Device,
    set: PackedPictures,
    options: CropOptions,
    workers: PictureWorkers = new PictureWorkers(THREADS),
  ) {
    this.#plan = new CropPlan(set.locations, options);
    this.#device = device;
    this.#set = set;
    this.options = options;
    const bytes = batchBytes(options.batch, options.crop);
    this.shape = [bytes / 4];
    this.#free = Array.from({ length: AHEAD }, () => new ArrayBuffer(bytes));
    this.#workers = workers;
    workers.start();
  }

  /** @throws WorkerError, or what reading the file throws. */
  async batch(step: number): Promise<Tensor> {
    const number = this.#plan.batchOf(step);
    const wanted = new Set(Array.from({ length: AHEAD }, (_, i) => this.#plan.batchOf(step + i)));
    // After a jump to another step, batches that were read in advance are useless.
    for (const [other, coming] of this.#coming) {
      if (wanted.has(other)) continue;
      this.#coming.delete(other);
      this.#free.push(await coming);
    }
    for (const each of wanted) if (!this.#coming.has(each)) this.#request(each);
    const bytes = await this.#coming.get(number)!;
    this.#coming.delete(number);
    this.#free.push(bytes);
    return tensor(new Uint32Array(bytes), this.shape, { device: this.#device });
  }

  #request(number: number): void {
    const { crop } = this.options;
    const { file, locations } = this.#set;
    const crops = this.#plan.crops(number);
    const bytes = this.#free.pop()!;
    writeWords(bytes, crops, crop);
    const { descriptor } = file;
    const coming = this.#workers.cut({ descriptor, crop, squares: squaresOf(crops, locations), bytes });
    // An error is thrown when the batch is requested; until then it must not count as unhandled.
    coming.catch(() => {});
    this.#coming.set(number, coming);
  }

  /** Plan and pictures of a batch share a buffer, so it is both inputs of the kernel. */
  gather(batch: Tensor): { lr: Tensor; hr: Tensor } {
    const { batch: count, crop } = this.options;
    return crops([batch], batch, { batch: count, side: crop / 4 });
  }

  [Symbol.dispose](): void {
    this.#workers.dispose();
    this.#free.length = 0;
    this.#coming.clear();
  }
}

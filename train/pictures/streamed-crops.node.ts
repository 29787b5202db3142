/** Batches of random crops from pictures in a file: worker threads read them while the GPU is at earlier batches. */
import { availableParallelism } from 'node:os';
import type { Shape } from '../../engine/basics/shape.ts';
import type { Device } from '../../engine/device/device.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { crops } from '../kernels/crops.ts';
import { type CropOptions, CropPlan } from './crop-plan.ts';
import type { BatchSource } from './crop-source.ts';
import { batchBytes, squaresOf, writeWords } from './packed-crops.node.ts';
import type { PackedPictures } from './shelf.node.ts';
import { PictureWorkers } from './workers.node.ts';

/** Batches that are read or being read while one is used: a few steps, should a disk be slow for a moment. */
const AHEAD = 4;

/** More would wait for the same disk; and on a software adapter they take time from the GPU. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

export class StreamedCrops implements BatchSource {
  readonly options: CropOptions;
  readonly shape: Shape;
  readonly #device: Device;
  readonly #plan: CropPlan;
  readonly #set: PackedPictures;
  readonly #workers: PictureWorkers;
  /** By number of the batch. Together with the free ones always as many. */
  readonly #coming = new Map<number, Promise<ArrayBuffer>>();
  readonly #free: ArrayBuffer[];

  /** `workers` are ended with the source; the file stays. Throws DaybreakError where a picture is smaller than a crop. */
  constructor(
    device: Device,
    set: PackedPictures,
    options: CropOptions,
    workers: PictureWorkers = new PictureWorkers(THREADS),
  ) {
    this.#plan = new CropPlan(set.places, options);
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
    // After a jump what was read ahead is of no use.
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
    const { file, places } = this.#set;
    const crops = this.#plan.crops(number);
    const bytes = this.#free.pop()!;
    writeWords(bytes, crops, crop);
    const { descriptor } = file;
    const coming = this.#workers.cut({ descriptor, crop, squares: squaresOf(crops, places), bytes });
    // A failure is thrown where the batch is asked for, and must not count as unhandled before.
    coming.catch(() => {});
    this.#coming.set(number, coming);
  }

  /** Words and bytes of a batch are one buffer: both of the kernel's inputs. */
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

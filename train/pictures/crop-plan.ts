/** Chooses the crops of each batch. They depend only on the seed and the step, not on where the pictures are stored. */
import { DaybreakError } from '../../engine/basics/errors.ts';
import { Philox } from '../../engine/basics/philox.ts';

/** How crops are drawn for {@link CropSource}. */
export interface CropOptions {
  /** Crops per batch. */
  readonly batch: number;
  /** Side of HR crops in pixels, a multiple of 4. */
  readonly crop: number;
  /** Seed of the choice of pictures and crops. */
  readonly seed: number;
  /** Mirror crops at random. */
  readonly flips: boolean;
  /** Rotate crops by multiples of 90 degrees at random. */
  readonly rotations: boolean;
  /** Repeat the first batch forever. Default: false. */
  readonly overfitBatch?: boolean;
}

/** A square region of a picture. */
export interface Crop {
  /** Index of the picture. */
  readonly picture: number;
  /** Top left corner in the LR picture, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Bit 0 mirrors columns, bit 1 rows, bit 2 swaps rows and columns. */
  readonly orientation: number;
}

/** Random streams: crops use one per step from here, and the order of pictures one per epoch. */
const CROPS = 2 ** 40;
const ORDER = 2 ** 41;

export class CropPlan {
  readonly options: CropOptions;
  readonly #sizes: readonly { readonly width: number; readonly height: number }[];
  #order: { epoch: number; pictures: Uint32Array } | undefined;

  /** `sizes`: of the HR pictures. @throws DaybreakError if there are none, or one is smaller than a crop. */
  constructor(sizes: readonly { readonly width: number; readonly height: number }[], options: CropOptions) {
    if (sizes.length === 0) throw new DaybreakError('CropSource: expected at least one picture, got none.');
    for (const { width, height } of sizes)
      if (Math.min(width, height) < options.crop)
        throw new DaybreakError(
          `CropSource: a picture of ${width}x${height} is smaller than crops of ${options.crop}.`,
        );
    this.#sizes = sizes;
    this.options = options;
  }

  /** The crops of batch `step`, from 0. */
  crops(step: number): Crop[] {
    const { batch, crop, seed, flips, rotations } = this.options;
    const number = this.batchOf(step);
    const random = new Philox(seed, CROPS + number);
    return Array.from({ length: batch }, (_, i) => {
      const picture = this.#picture(number * batch + i);
      const { width, height } = this.#sizes[picture];
      const x = random.integer((width - crop) / 4 + 1);
      const y = random.integer((height - crop) / 4 + 1);
      const mirror = random.integer(4) & (flips ? 3 : 0);
      // A quarter turn swaps rows and columns and mirrors once; a half turn mirrors twice.
      const turn = random.integer(4) * (rotations ? 1 : 0);
      return { picture, x, y, orientation: mirror ^ [0, 4 | 1, 3, 4 | 2][turn] };
    });
  }

  /** The number of the batch that a step uses: the step, or always 0. */
  batchOf(step: number): number {
    return this.options.overfitBatch ? 0 : step;
  }

  /**
   * Every epoch uses each picture once, in a new random order. So the crops of a batch come from different pictures,
   * unless the batch spans two epochs.
   */
  #picture(index: number): number {
    const { length } = this.#sizes;
    const epoch = Math.floor(index / length);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, pictures: new Philox(this.options.seed, ORDER + epoch).permutation(length) };
    return this.#order.pictures[index % length];
  }
}

/** Which crops make a batch: a function of the seed and the step, wherever the pictures lie. */
import { DaybreakError } from '../../engine/basics/errors.ts';
import { Philox } from '../../engine/basics/philox.ts';

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
}

/** A square of a picture. */
export interface Crop {
  /** Index of the picture. */
  readonly picture: number;
  /** Its place in the LR picture, pixels. */
  readonly x: number;
  readonly y: number;
  /** Bit 0 mirrors columns, bit 1 rows, bit 2 exchanges rows and columns. */
  readonly orientation: number;
}

/** Streams of the seed's random numbers: those of crops begin at these, one a step or epoch. */
const CROPS = 2 ** 40;
const ORDER = 2 ** 41;

export class CropPlan {
  readonly options: CropOptions;
  readonly #sizes: readonly { readonly width: number; readonly height: number }[];
  #order: { epoch: number; pictures: Uint32Array } | undefined;

  /** `sizes`: of the HR pictures. Throws DaybreakError where there is none, or one smaller than a crop. */
  constructor(sizes: readonly { readonly width: number; readonly height: number }[], options: CropOptions) {
    if (sizes.length === 0) throw new DaybreakError('CropSource: needs at least one picture.');
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
      // A quarter turn is an exchange of rows and columns and a mirroring; a half turn two mirrorings.
      const turn = random.integer(4) * (rotations ? 1 : 0);
      return { picture, x, y, orientation: mirror ^ [0, 4 | 1, 3, 4 | 2][turn] };
    });
  }

  /** The batch that a step takes: its own, or always the first. */
  batchOf(step: number): number {
    return this.options.overfitBatch ? 0 : step;
  }

  /**
   * Each picture comes once in every round, in a new order each time. So crops of a batch are of distinct pictures, but
   * where a batch holds the end of one round and the beginning of the next.
   */
  #picture(index: number): number {
    const { length } = this.#sizes;
    const epoch = Math.floor(index / length);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, pictures: new Philox(this.options.seed, ORDER + epoch).permutation(length) };
    return this.#order.pictures[index % length];
  }
}

/** Reads the crops of a batch from a file of raw pictures, and packs them for the gather kernel. */
import { CROP_WORDS } from '../kernels/crops.ts';
import type { Crop } from './crop-plan.ts';
import { readAt } from './scratch-file.node.ts';

/** Where a picture is stored in a file: RGB bytes, row by row, HR and LR. */
export interface PictureLocation {
  /** Size of the HR picture, multiples of 4. */
  readonly width: number;
  readonly height: number;
  /** Positions of the HR and the LR picture. */
  readonly hr: number;
  readonly lr: number;
}

export interface CutTask {
  /** Of the open file. Descriptors belong to the process, so any thread can use them. */
  readonly descriptor: number;
  /** Side of the HR crops. */
  readonly crop: number;
  /** For each crop the HR square, then the LR square: the position of its first row, and the distance between rows. */
  readonly squares: Float64Array;
  /** The batch: the plan, already filled in, followed by space for the crops. */
  readonly bytes: ArrayBuffer;
}

/** Bytes read at once, so that a tall crop of a wide picture does not need all its rows in memory. */
const CHUNK_BYTES = 2 ** 20;

const bytesOf = (side: number) => 3 * side * side;

/** Bytes of a batch: `CROP_WORDS` words per crop, then HR and LR of each. A multiple of 4. */
export function batchBytes(batch: number, crop: number): number {
  return Math.ceil((batch * (4 * CROP_WORDS + bytesOf(crop) + bytesOf(crop / 4))) / 4) * 4;
}

/** Writes the plan: each crop is a separate picture, in the same buffer as the plan. */
export function writeWords(bytes: ArrayBuffer, crops: readonly Crop[], crop: number): void {
  const words = new Uint32Array(bytes, 0, crops.length * CROP_WORDS);
  for (const [i, { orientation }] of crops.entries()) {
    const hr = words.byteLength + i * (bytesOf(crop) + bytesOf(crop / 4));
    words.set([0, hr, crop, hr + bytesOf(crop), crop / 4, 0, 0, orientation], i * CROP_WORDS);
  }
}

/** The positions of a batch's squares in the file, in the format of `CutTask`. */
export function squaresOf(crops: readonly Crop[], locations: readonly PictureLocation[]): Float64Array {
  const squares = new Float64Array(crops.length * 4);
  for (const [i, { picture, x, y }] of crops.entries()) {
    const { width, hr, lr } = locations[picture];
    const square = (at: number, stride: number, scale: number) => [at + scale * (y * stride + 3 * x), stride];
    squares.set([...square(hr, 3 * width, 4), ...square(lr, (3 * width) / 4, 1)], i * 4);
  }
  return squares;
}

/** Reads the crops into the batch. @throws what `readAt` throws. */
export function cutCrops({ descriptor, crop, squares, bytes }: CutTask): void {
  const batch = squares.length / 4;
  let offset = batch * CROP_WORDS * 4;
  for (let i = 0; i < 2 * batch; i++) {
    const side = i % 2 === 0 ? crop : crop / 4;
    const target = new Uint8Array(bytes, offset, bytesOf(side));
    readSquare(descriptor, squares[2 * i], squares[2 * i + 1], side, target);
    offset += target.length;
  }
}

/** Reused for all reads. */
let rowBuffer = new Uint8Array(0);

/**
 * Reads whole rows, so that a few reads cover many rows. From a disk this costs the same as reading only the needed
 * bytes; from the page cache half as much as one read per row (96 rows of 2,040 pixels: 0.1 ms).
 */
function readSquare(descriptor: number, at: number, stride: number, side: number, target: Uint8Array): void {
  const width = 3 * side;
  const rows = Math.max(1, Math.floor(CHUNK_BYTES / stride));
  for (let first = 0; first < side; first += rows) {
    const count = Math.min(rows, side - first);
    const length = (count - 1) * stride + width;
    if (rowBuffer.length < length) rowBuffer = new Uint8Array(length);
    readAt(descriptor, rowBuffer.subarray(0, length), at + first * stride);
    for (let row = 0; row < count; row++)
      target.set(rowBuffer.subarray(row * stride, row * stride + width), (first + row) * width);
  }
}

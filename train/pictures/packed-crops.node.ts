/** The crops of a batch, read from a file of raw pictures and laid one after the other for the gather kernel. */
import { CROP_WORDS } from '../kernels/crops.ts';
import type { Crop } from './crop-plan.ts';
import { readAt } from './scratch-file.node.ts';

/** Where a picture lies in a file: RGB bytes, row by row, HR and its quarter. */
export interface PackedPlace {
  /** Of the HR picture, multiples of 4. */
  readonly width: number;
  readonly height: number;
  /** Where its bytes begin, and those of its quarter. */
  readonly hr: number;
  readonly lr: number;
}

export interface CutTask {
  /** Of the open file. Descriptors belong to the process: any thread may use them. */
  readonly descriptor: number;
  /** Side of the HR crops. */
  readonly crop: number;
  /** For each crop the HR square, then the LR square: where its first row begins, and bytes from row to row. */
  readonly squares: Float64Array;
  /** The batch: plan words, which are there already, then room for the crops. */
  readonly bytes: ArrayBuffer;
}

/** No more is read at once, so that a tall crop of a wide picture does not need the whole band. Bytes. */
const PIECE = 2 ** 20;

const bytesOf = (side: number) => 3 * side * side;

/** Bytes of a batch: `CROP_WORDS` words for each crop, then HR and LR of each. A multiple of 4. */
export function batchBytes(batch: number, crop: number): number {
  return Math.ceil((batch * (4 * CROP_WORDS + bytesOf(crop) + bytesOf(crop / 4))) / 4) * 4;
}

/** Writes the plan words: each crop is a picture of its own, in the same buffer as the words. */
export function writeWords(bytes: ArrayBuffer, crops: readonly Crop[], crop: number): void {
  const words = new Uint32Array(bytes, 0, crops.length * CROP_WORDS);
  for (const [i, { orientation }] of crops.entries()) {
    const hr = words.byteLength + i * (bytesOf(crop) + bytesOf(crop / 4));
    words.set([0, hr, crop, hr + bytesOf(crop), crop / 4, 0, 0, orientation], i * CROP_WORDS);
  }
}

/** Where in the file the squares of a batch lie, as a `CutTask` wants it. */
export function squaresOf(crops: readonly Crop[], places: readonly PackedPlace[]): Float64Array {
  const squares = new Float64Array(crops.length * 4);
  for (const [i, { picture, x, y }] of crops.entries()) {
    const { width, hr, lr } = places[picture];
    const square = (at: number, stride: number, scale: number) => [at + scale * (y * stride + 3 * x), stride];
    squares.set([...square(hr, 3 * width, 4), ...square(lr, (3 * width) / 4, 1)], i * 4);
  }
  return squares;
}

/** Reads the crops into their batch. @throws what `readAt` throws. */
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

/** Kept from batch to batch. */
let piece = new Uint8Array(0);

/**
 * Whole rows, so that a few reads do for many rows: from a disk they cost what the needed bytes would, and from memory
 * half as much as a read for each row (96 rows of 2,040 pixels: 0.1 ms).
 */
function readSquare(descriptor: number, at: number, stride: number, side: number, target: Uint8Array): void {
  const width = 3 * side;
  const rows = Math.max(1, Math.floor(PIECE / stride));
  for (let first = 0; first < side; first += rows) {
    const count = Math.min(rows, side - first);
    const length = (count - 1) * stride + width;
    if (piece.length < length) piece = new Uint8Array(length);
    readAt(descriptor, piece.subarray(0, length), at + first * stride);
    for (let row = 0; row < count; row++)
      target.set(piece.subarray(row * stride, row * stride + width), (first + row) * width);
  }
}

/** A training picture: a description of where it comes from, which any thread can read, and reading it. */

import { basename } from 'node:path';
import { sha256Of } from '../../files/digest.node.ts';
import { decode, encodeFile } from '../../image/codec.node.ts';
import { ImageError } from '../../image/errors.ts';
import { readPicture } from '../../image/files.node.ts';
import { cropToMultiple, describe, type Picture, toRgb } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { blurred, type Degradation, noisy } from '../degradation.ts';
import type { Identified } from './identity.ts';
import { readPhotograph } from './photographs.node.ts';

/**
 * An HR picture whose width and height are multiples of 4, and its LR: the set's own, or the HR downscaled by exact
 * bicubic (`shrink`); 8 bit.
 */
export interface TrainingPicture extends Identified {
  /** For messages and reports. */
  readonly name: string;
  /** RGB for training; unconverted for evaluation (grey stays grey). */
  readonly hr: Picture;
  /** The same at a quarter of the width and height. */
  readonly lr: Picture;
}

/** Where a picture comes from, and how its LR is degraded. A set's own LR is not degraded. */
export type PictureOrigin = PictureSource & { readonly degradation?: Degradation | undefined };

/** A file, one of the photographs from npm, or a picture of a synthetic sequence. */
type PictureSource =
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly path: string;
      /** Path of the set's own LR. */
      readonly low?: string | undefined;
    }
  | { readonly kind: 'photograph'; readonly name: string }
  | {
      readonly kind: 'synthetic';
      readonly name: string;
      readonly seed: number;
      readonly index: number;
      readonly size: number;
    };

/** Its name in messages: the path of a file. */
export const titleOf = (origin: PictureOrigin): string => (origin.kind === 'file' ? origin.path : origin.name);

/**
 * Reads or generates a picture and its LR, in RGB.
 * @param least minimum width and height.
 * @throws ImageError if it or its LR cannot be read, it is too small, or its LR does not have a quarter of its size;
 *   PictureSourceError if a package is missing.
 */
export async function readTrainingPicture(origin: PictureOrigin, least: number): Promise<TrainingPicture> {
  let sha256 = '';
  const original = toRgb(await read(origin, bytes => (sha256 = sha256Of(bytes))));
  if (original.width < least || original.height < least) {
    throw new ImageError(titleOf(origin), `${describe(original)}: smaller than the crops of ${least}x${least}`);
  }
  const hr = cropToMultiple(original, 4);
  if (origin.kind === 'synthetic') return { name: origin.name, hr, lr: await lowOf(hr, origin) };
  const files = [{ name: origin.kind === 'file' ? basename(origin.path) : origin.name, sha256 }];
  const low = origin.kind === 'file' ? origin.low : undefined;
  if (low === undefined) return { name: origin.name, hr, lr: await lowOf(hr, origin), files };
  const lr = await readLow(low, original, hr, bytes => {
    // HR and LR may have the same name. The name of the LR folder is left out, as it may change when a set is moved.
    files.push({ name: `LR/${basename(low)}`, sha256: sha256Of(bytes) });
  });
  return { name: origin.name, hr, lr, files };
}

/** Downscales an HR picture, with the degradation of its origin. */
async function lowOf(hr: Picture, { name, degradation }: PictureOrigin): Promise<Picture> {
  if (!degradation) return shrink(hr);
  const { blur, jpeg } = degradation;
  const low = noisy(shrink(blurred(hr, blur)), degradation);
  if (jpeg === undefined) return low;
  const file = await encodeFile(low, 'jpeg', { quality: jpeg }, name);
  return toRgb(await decode(file, name));
}

/** Reads a set's own LR, whose crops must match those of `hr`. */
async function readLow(
  path: string,
  original: Picture,
  hr: Picture,
  onBytes: (bytes: Uint8Array) => void,
): Promise<Picture> {
  const low = toRgb(await readPicture(path, onBytes));
  if (low.width * 4 === hr.width && low.height * 4 === hr.height) return low;
  const wanted = `${hr.width / 4}x${hr.height / 4}`;
  throw new ImageError(path, `${describe(low)}: expected ${wanted}, a quarter of ${describe(original)}`);
}

/** `onBytes` is called with the bytes of a file. */
function read(origin: PictureOrigin, onBytes: (bytes: Uint8Array) => void): Picture | Promise<Picture> {
  if (origin.kind === 'file') return readPicture(origin.path, onBytes);
  if (origin.kind === 'photograph') return readPhotograph(origin.name, undefined, onBytes);
  return syntheticPicture(origin.seed, origin.index, origin.size);
}

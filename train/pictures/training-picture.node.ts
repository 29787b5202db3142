/** One picture to train on: where it comes from, said so that any thread can read it, and read. */

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { ImageError } from '../../image/errors.ts';
import { readPicture } from '../../image/files.node.ts';
import { cropToMultiple, describe, type Picture, toRgb } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import type { Identified } from './identity.ts';
import { readPhotograph } from './photographs.node.ts';

/** An original with sides that are multiples of 4, and its quarter: `shrink`'s exact bicubic of the whole, 8 bit. */
export interface TrainingPicture extends Identified {
  readonly name: string;
  /** RGB for training; as it is (grey stays grey) for evaluation. */
  readonly hr: Picture;
  readonly lr: Picture;
}

/** A file, one of the photographs that come with npm, or a number of the synthetic sequence of a seed. */
export type PictureOrigin =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'photograph'; readonly name: string }
  | {
      readonly kind: 'synthetic';
      readonly name: string;
      readonly seed: number;
      readonly index: number;
      readonly size: number;
    };

/** What messages call it: a file by its path. */
export const titleOf = (origin: PictureOrigin): string => (origin.kind === 'file' ? origin.path : origin.name);

/**
 * Reads or generates a picture, in RGB, with its quarter.
 * @throws ImageError where it cannot be read, or a side is shorter than `least`; PictureSourceError where a package is
 * missing.
 */
export async function readTrainingPicture(origin: PictureOrigin, least: number): Promise<TrainingPicture> {
  let sha256 = '';
  const original = toRgb(await read(origin, bytes => (sha256 = sha256Of(bytes))));
  if (original.width < least || original.height < least) {
    throw new ImageError(titleOf(origin), `${describe(original)}: smaller than the crops of ${least}x${least}`);
  }
  const hr = cropToMultiple(original, 4);
  const picture = { name: origin.name, hr, lr: shrink(hr) };
  if (origin.kind === 'synthetic') return picture;
  return { ...picture, files: [{ name: origin.kind === 'file' ? basename(origin.path) : origin.name, sha256 }] };
}

/** In hexadecimal. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `onBytes` hears what is read from a file. */
function read(origin: PictureOrigin, onBytes: (bytes: Uint8Array) => void): Picture | Promise<Picture> {
  if (origin.kind === 'file') return readPicture(origin.path, onBytes);
  if (origin.kind === 'photograph') return readPhotograph(origin.name, undefined, onBytes);
  return syntheticPicture(origin.seed, origin.index, origin.size);
}

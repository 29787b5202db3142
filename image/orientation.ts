/** Rotates pictures upright by their EXIF orientation. */

import { flipHorizontal, flipVertical, type Picture, type Samples, transpose } from './picture.ts';

/**
 * Rotates and mirrors a picture for display. Orientations 1…8 (EXIF 2.32, 4.6.4.A) say where the first row and column
 * lie: 1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
 */
export function upright<S extends Samples>(picture: Picture<S>, orientation: number): Picture<S> {
  const turned = orientation >= 5 ? transpose(picture) : picture;
  const mirrored = [2, 3, 6, 7].includes(orientation) ? flipHorizontal(turned) : turned;
  return [3, 4, 7, 8].includes(orientation) ? flipVertical(mirrored) : mirrored;
}

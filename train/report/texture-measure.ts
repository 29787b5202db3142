/** What PSNR does not see of a result, for tables: how much fine texture it has, and how far its features are off. */
import type { Measure } from '../../eval/evaluate.ts';
import { textureRatio } from '../../eval/texture.ts';
import { vggDistance } from '../../eval/vgg-distance.ts';
import { crop, type Picture } from '../../image/picture.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import type { VggLayer } from '../variants.ts';

/** Largest side of the part whose features are compared: those of whole photographs are beyond what adapters bind. */
export const FEATURE_SIDE = 192;

function middle(picture: Picture): Picture {
  const { width, height } = picture;
  const [w, h] = [Math.min(width, FEATURE_SIDE), Math.min(height, FEATURE_SIDE)];
  return crop(picture, (width - w) >> 1, (height - h) >> 1, w, h);
}

/** What `selectionOf` chooses by beside PSNR, and no more: features where there is a loss network, else texture. */
export function selectingMeasure(vgg?: VGG19, place?: VggLayer): Measure {
  const distance = vgg && place && vggDistance(vgg, place.i, place.j);
  return async (result, original) =>
    distance
      ? { vgg_distance: await distance(middle(result), middle(original)) }
      : { texture: textureRatio(result, original) };
}

/** Texture energy of whole pictures; with a loss network also the distance of its features in their middle. */
export function textureMeasure(vgg?: VGG19, place?: VggLayer): Measure {
  const distance = vgg && place && vggDistance(vgg, place.i, place.j);
  return async (result, original) => ({
    texture: textureRatio(result, original),
    ...(distance && { vgg_distance: await distance(middle(result), middle(original)) }),
  });
}

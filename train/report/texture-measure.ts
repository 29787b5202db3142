/** Texture metrics for a run's log and report: the amount of fine texture, and the distance of VGG features. */
import type { Measure } from '../../eval/evaluate.ts';
import { textureRatio } from '../../eval/texture.ts';
import { vggDistance } from '../../eval/vgg-distance.ts';
import { crop, type Picture } from '../../image/picture.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import type { VggLayer } from '../variants.ts';

/** Maximum width and height of the region whose features are compared: those of large pictures exceed what adapters bind. */
export const FEATURE_SIDE = 192;

/** The same for texture, whose cosine transform would take seconds for a large picture. */
export const TEXTURE_SIDE = 512;

/** The middle of a picture, at most `side` pixels wide and high. */
function middle(picture: Picture, side: number): Picture {
  const { width, height } = picture;
  const [w, h] = [Math.min(width, side), Math.min(height, side)];
  return crop(picture, (width - w) >> 1, (height - h) >> 1, w, h);
}

const textureOf = (result: Picture, original: Picture): number =>
  textureRatio(middle(result, TEXTURE_SIDE), middle(original, TEXTURE_SIDE));

/** Measures the distance of VGG features with a loss network; undefined without one. */
function distanceMeasure(vgg?: VGG19, layer?: VggLayer) {
  const distance = vgg && layer && vggDistance(vgg, layer.i, layer.j);
  return (
    distance &&
    ((result: Picture, original: Picture) => distance(middle(result, FEATURE_SIDE), middle(original, FEATURE_SIDE)))
  );
}

/** Measures only what `selectionOf` needs besides PSNR: the distance of features with a loss network, else texture. */
export function selectingMeasure(vgg?: VGG19, layer?: VggLayer): Measure {
  const distance = distanceMeasure(vgg, layer);
  return async (result, original) =>
    distance ? { vgg_distance: await distance(result, original) } : { texture: textureOf(result, original) };
}

/** Measures texture, and with a loss network also the distance of features. */
export function textureMeasure(vgg?: VGG19, layer?: VggLayer): Measure {
  const distance = distanceMeasure(vgg, layer);
  return async (result, original) => ({
    texture: textureOf(result, original),
    ...(distance && { vgg_distance: await distance(result, original) }),
  });
}

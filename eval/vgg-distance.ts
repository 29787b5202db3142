/** The distance between VGG19 features of result and original: perceptual rather than pixel-wise similarity. */

import { compile } from '../engine/compile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { type Picture, toRgb } from '../image/picture.ts';
import { div, mean, mseLoss, square } from '../kernels/index.ts';
import type { VGG19 } from '../models/vgg19.ts';
import { comparable } from './protocols.ts';

/** [1, 3, height, width] in [-1, 1]. */
function imageOf(picture: Picture, vgg: VGG19): Tensor {
  const { width, height, data } = toRgb(picture);
  const planes = new Float32Array(data.length);
  for (let c = 0, to = 0; c < 3; c++) {
    for (let from = c; from < data.length; from += 3) planes[to++] = data[from] / 127.5 - 1;
  }
  return tensor(planes, [1, 3, height, width], { device: deviceOf(vgg) });
}

const deviceOf = (vgg: VGG19) => vgg.namedVariables()[0][1].device;

/**
 * Σ (φ(result) − φ(original))² / Σ φ(original)² over all features φ(i,j) (after the activation, equation 5 of Ledig et
 * al.) of the whole pictures: 0 for equal pictures, about 1 if nothing of the original is left. Deep layers compare
 * texture and shapes rather than pixels.
 * @throws VggError if the weights do not include the layer; ImageError for pictures that cannot be compared; LimitError
 * if the features exceed the adapter's binding limit.
 */
export function vggDistance(vgg: VGG19, i: number, j: number): (result: Picture, original: Picture) => Promise<number> {
  vgg.require(i, j);
  return async (result, original) => {
    const [ours, theirs] = comparable(result, original);
    // A set has pictures of many sizes: kernels take sizes as arguments and compile once.
    using distance = compile(
      (a: Tensor, b: Tensor) => {
        const target = vgg.phi(b, i, j);
        return div(mseLoss(vgg.phi(a, i, j), target), mean(square(target)));
      },
      { baked: false },
    );
    using a = imageOf(ours, vgg);
    using b = imageOf(theirs, vgg);
    using value = distance(a, b);
    return (await value.data())[0];
  };
}

/** A method's scores on a data set, picture by picture and on average. */

import type { Picture } from '../image/picture.ts';
import type { Method } from './methods.ts';
import { meanScores, type Scores, scores } from './protocols.ts';
import type { UpscaleControl } from './upscale.ts';

/** A picture's scores in both protocols. */
export interface PictureScores extends Scores {
  readonly name: string;
}

/** Scores of all pictures in their order, and their means; `mean` is undefined where there was no picture. */
export interface Evaluation {
  readonly images: readonly PictureScores[];
  readonly mean: Scores | undefined;
}

/** An original and what a method starts from: a quarter as wide and high. */
export interface Pair {
  readonly name: string;
  readonly hr: Picture;
  readonly lr: Picture;
}

/**
 * Enlarges each `lr` by the method and scores the result against `hr`, one by one as they are asked for.
 * @throws ImageError where a result cannot be scored against its original; whatever the method throws; the signal's
 * reason.
 */
export async function* evaluateEach(
  method: Method,
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  control: UpscaleControl = {},
): AsyncGenerator<PictureScores, void, undefined> {
  for await (const { name, hr, lr } of pairs) {
    control.signal?.throwIfAborted();
    yield { name, ...scores(await method(lr, control), hr) };
  }
}

/** `evaluateEach`, collected; `onPicture` hears each picture's scores as they come. */
export async function evaluate(
  method: Method,
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  control: UpscaleControl & { readonly onPicture?: (one: PictureScores, index: number) => void } = {},
): Promise<Evaluation> {
  const images: PictureScores[] = [];
  for await (const one of evaluateEach(method, pairs, control)) {
    images.push(one);
    control.onPicture?.(one, images.length - 1);
  }
  return { images, mean: images.length === 0 ? undefined : meanScores(images) };
}

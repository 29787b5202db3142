/** A method's scores on a data set, picture by picture and on average. */

import type { Picture } from '../image/picture.ts';
import type { Method } from './methods.ts';
import { meanScores, type Scores, scores } from './protocols.ts';
import type { UpscaleControl } from './upscale.ts';

/** What else a result can be asked for, each where it was asked. */
export interface TextureFigures {
  /** See `textureRatio`. */
  readonly texture?: number;
  /** See `vggDistance`. */
  readonly vgg_distance?: number;
}

/** Scores by both protocols, and what else was asked for. */
export type Figures = Scores & TextureFigures;

/** Computes further figures of a result. */
export type Measure = (result: Picture, original: Picture) => Promise<TextureFigures>;

/** A picture's scores in both protocols, and what else was asked for. */
export interface PictureScores extends Scores, TextureFigures {
  readonly name: string;
}

/** Scores of all pictures in their order, and their means; `mean` is undefined where there was no picture. */
export interface Evaluation {
  readonly images: readonly PictureScores[];
  readonly mean: Figures | undefined;
}

/** How an evaluation goes, and what it computes beside the scores. */
export interface EvaluationControl extends UpscaleControl {
  readonly measure?: Measure | undefined;
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
  { measure, ...control }: EvaluationControl = {},
): AsyncGenerator<PictureScores, void, undefined> {
  for await (const { name, hr, lr } of pairs) {
    control.signal?.throwIfAborted();
    const result = await method(lr, control);
    yield { name, ...scores(result, hr), ...(await measure?.(result, hr)) };
  }
}

/** Means of the scores, and of the figures that all pictures have. */
export function meanFigures(all: readonly Figures[]): Figures {
  const optional = (key: keyof TextureFigures) => {
    const values = all.flatMap(one => one[key] ?? []);
    return values.length < all.length ? {} : { [key]: values.reduce((sum, value) => sum + value, 0) / all.length };
  };
  return { ...meanScores(all), ...optional('texture'), ...optional('vgg_distance') };
}

/** `evaluateEach`, collected; `onPicture` hears each picture's scores as they come. */
export async function evaluate(
  method: Method,
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  control: EvaluationControl & { readonly onPicture?: (one: PictureScores, index: number) => void } = {},
): Promise<Evaluation> {
  const images: PictureScores[] = [];
  for await (const one of evaluateEach(method, pairs, control)) {
    images.push(one);
    control.onPicture?.(one, images.length - 1);
  }
  return { images, mean: images.length === 0 ? undefined : meanFigures(images) };
}

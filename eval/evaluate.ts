/** Scores methods on a data set: per picture and on average. */

import { ImageError } from '../image/errors.ts';
import type { Picture } from '../image/picture.ts';
import type { Method } from './methods.ts';
import { type MeanScores, meanOfFinite, meanScores, type Scores, scores } from './protocols.ts';
import type { UpscaleControl } from './upscale.ts';

/** Optional metrics, present if requested. */
export interface TextureFigures {
  /** See `textureRatio`. */
  readonly texture?: number;
  /** See `vggDistance`. */
  readonly vgg_distance?: number;
  /** See `rgbPsnr`, dB. */
  readonly psnr_rgb?: number;
  /** See `niqe`. */
  readonly niqe?: number;
}

/** Scores by both protocols and optional metrics. */
export type Figures = Scores & TextureFigures;

/** Means of scores and optional metrics. */
export type MeanFigures = MeanScores &
  TextureFigures & {
    /** Number of results identical to their originals in RGB, excluded from the mean of `psnr_rgb`. Omitted if 0. */
    readonly identical_rgb?: number;
  };

/** Computes optional metrics of a result. */
export type Measure = (result: Picture, original: Picture) => Promise<TextureFigures>;

/** A picture's scores by both protocols and optional metrics. */
export interface PictureScores extends Scores, TextureFigures {
  /** The pair's name. */
  readonly name: string;
}

/** Scores of all pictures in order, and their means; `mean` is undefined if there was no picture. */
export interface Evaluation {
  /** In the order of the pairs. */
  readonly images: readonly PictureScores[];
  /** Means over `images`. */
  readonly mean: MeanFigures | undefined;
}

/** Control of an evaluation, and optional metrics. */
export interface EvaluationControl extends UpscaleControl {
  /** More metrics of each result, beside the protocols' scores. */
  readonly measure?: Measure | undefined;
  /** Called with an error for each existing result that is missing or cannot be used. */
  readonly onSkip?: ((error: ImageError) => void) | undefined;
}

/** An original and its LR, a quarter as wide and high. */
export interface Pair {
  /** For messages and tables. */
  readonly name: string;
  /** The original. */
  readonly hr: Picture;
  /** The same at a quarter of the width and height. */
  readonly lr: Picture;
}

/**
 * Upscales each `lr` with the method and scores the result against `hr`, lazily.
 * @throws ImageError if a result cannot be scored against its original; errors of the method; the signal's reason.
 */
export async function* evaluateEach(
  method: Method,
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  { measure, ...control }: EvaluationControl = {},
): AsyncGenerator<PictureScores, void, undefined> {
  for await (const pair of pairs) yield await evaluateOne(method, pair, { measure, ...control });
}

/** Upscales and scores one pair; see `evaluateEach`. */
export async function evaluateOne(
  method: Method,
  { name, hr, lr }: Pair,
  { measure, ...control }: EvaluationControl = {},
): Promise<PictureScores> {
  control.signal?.throwIfAborted();
  const result = await method(lr, control);
  return { name, ...scores(result, hr), ...(await measure?.(result, hr)) };
}

/** Results that exist already, made by any program. */
export interface Results {
  /** The result for a pair, as large as its original. @throws ImageError if there is none; it then counts for no mean. */
  readonly of: (pair: Pair) => Promise<Picture>;
}

/** Scores a result that exists already; undefined, after `onSkip`, if there is none for this pair. */
async function scoreResult(
  results: Results,
  pair: Pair,
  { measure, onSkip, signal }: EvaluationControl,
): Promise<PictureScores | undefined> {
  signal?.throwIfAborted();
  try {
    const result = await results.of(pair);
    return { name: pair.name, ...scores(result, pair.hr), ...(await measure?.(result, pair.hr)) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    onSkip?.(error);
    return undefined;
  }
}

/**
 * Scores several methods, and results that exist already. Each picture is read once and upscaled by all methods before the next is read, so only one is
 * held at a time.
 * @param control returns the control for a method and a picture.
 * @returns the scores of all pictures, in the order of the methods.
 * @throws as `evaluateEach`.
 */
export async function evaluateMethods(
  methods: readonly (Method | Results)[],
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  control: (
    method: number,
    picture: number,
  ) => EvaluationControl & { readonly onPicture?: (one: PictureScores) => void } = () => ({}),
): Promise<Evaluation[]> {
  const images: PictureScores[][] = methods.map(() => []);
  let picture = 0;
  for await (const pair of pairs) {
    for (const [i, method] of methods.entries()) {
      const { onPicture, ...how } = control(i, picture);
      const one =
        typeof method === 'function' ? await evaluateOne(method, pair, how) : await scoreResult(method, pair, how);
      if (!one) continue;
      images[i].push(one);
      onPicture?.(one);
    }
    picture++;
  }
  return images.map(evaluationOf);
}

const evaluationOf = (images: readonly PictureScores[]): Evaluation => ({
  images,
  mean: images.length === 0 ? undefined : meanFigures(images),
});

/** Means of scores and optional metrics, over finite values. */
export function meanFigures(all: readonly Figures[]): MeanFigures {
  const optional = (key: keyof TextureFigures) => {
    const values = all.flatMap(one => one[key] ?? []);
    return values.length < all.length ? {} : { [key]: meanOfFinite(values) };
  };
  const identical = all.filter(({ psnr_rgb }) => psnr_rgb === Number.POSITIVE_INFINITY).length;
  return {
    ...meanScores(all),
    ...optional('psnr_rgb'),
    ...(identical > 0 && { identical_rgb: identical }),
    ...optional('niqe'),
    ...optional('texture'),
    ...optional('vgg_distance'),
  };
}

/** Collects `evaluateEach`. Calls `onPicture` with each picture's scores. */
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
  return evaluationOf(images);
}

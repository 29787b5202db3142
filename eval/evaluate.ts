/** A method's scores on a data set, picture by picture and on average. */

import type { Picture } from '../image/picture.ts';
import type { Method } from './methods.ts';
import { type MeanScores, meanOfFinite, meanScores, type Scores, scores } from './protocols.ts';
import type { UpscaleControl } from './upscale.ts';

/** What else a result can be asked for, each where it was asked. */
export interface TextureFigures {
  /** See `textureRatio`. */
  readonly texture?: number;
  /** See `vggDistance`. */
  readonly vgg_distance?: number;
  /** See `rgbPsnr`, dB. */
  readonly psnr_rgb?: number;
}

/** Scores by both protocols, and what else was asked for. */
export type Figures = Scores & TextureFigures;

/** Means of the scores and of what else was asked for. */
export type MeanFigures = MeanScores &
  TextureFigures & {
    /** So many results are identical to their originals in RGB, and count not in the mean of `psnr_rgb`; left out where 0. */
    readonly identical_rgb?: number;
  };

/** Computes further figures of a result. */
export type Measure = (result: Picture, original: Picture) => Promise<TextureFigures>;

/** A picture's scores in both protocols, and what else was asked for. */
export interface PictureScores extends Scores, TextureFigures {
  readonly name: string;
}

/** Scores of all pictures in their order, and their means; `mean` is undefined where there was no picture. */
export interface Evaluation {
  readonly images: readonly PictureScores[];
  readonly mean: MeanFigures | undefined;
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
  for await (const pair of pairs) yield await evaluateOne(method, pair, { measure, ...control });
}

/** Enlarges one `lr` by the method and scores the result; see `evaluateEach`. */
export async function evaluateOne(
  method: Method,
  { name, hr, lr }: Pair,
  { measure, ...control }: EvaluationControl = {},
): Promise<PictureScores> {
  control.signal?.throwIfAborted();
  const result = await method(lr, control);
  return { name, ...scores(result, hr), ...(await measure?.(result, hr)) };
}

/**
 * Scores several methods: each picture is read once, all methods enlarge it, and only then is the next one asked for, so
 * that no more than one is held however many there are.
 * @param control what each method is given for a picture; called before it.
 * @returns for each method the scores of all pictures, in the order of the methods.
 * @throws as `evaluateEach`.
 */
export async function evaluateMethods(
  methods: readonly Method[],
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
      const one = await evaluateOne(method, pair, how);
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

/** Means of the scores, and of the figures that all pictures have: of those where they are finite. */
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
    ...optional('texture'),
    ...optional('vgg_distance'),
  };
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
  return evaluationOf(images);
}

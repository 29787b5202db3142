/** The figure that chooses the checkpoint `best`. It depends on the loss, because PSNR does not suit every loss. */
import type { TextureFigures } from '../../eval/evaluate.ts';
import type { Scores } from '../../eval/protocols.ts';
import type { Variant } from '../variants.ts';

/** `texture`: difference of the fine texture from the original's, |1 − texture|. */
export const SELECTIONS = ['psnr', 'vgg_distance', 'texture'] as const;
export type SelectedBy = (typeof SELECTIONS)[number];

/** Scores; some may not have been computed. */
type Measured = Partial<Scores & TextureFigures>;

export interface Selection {
  readonly by: SelectedBy;
  /** Description for messages and help. */
  readonly words: string;
  /** The figure to compare, in dB for PSNR; undefined if it was not computed. */
  figureOf(scores: Measured): number | undefined;
  /** Whether `figure` is better than the best so far (null: none yet). NaN never is. */
  isBetter(figure: number, best: number | null): boolean;
}

const lower = (figure: number, best: number | null) => Number.isFinite(figure) && (best === null || figure < best);

const PSNR: Selection = {
  by: 'psnr',
  words: 'PSNR, higher is better',
  figureOf: ({ psnr }) => psnr,
  // A perfect result has infinite PSNR.
  isBetter: (figure, best) => best === null || figure > best,
};

const DISTANCE: Selection = {
  by: 'vgg_distance',
  words: 'distance of VGG features, lower is better',
  figureOf: ({ vgg_distance }) => vgg_distance,
  isBetter: lower,
};

const TEXTURE: Selection = {
  by: 'texture',
  words: "difference of fine texture from the original's, lower is better",
  figureOf: ({ texture }) => (texture === undefined ? undefined : Math.abs(1 - texture)),
  isBetter: lower,
};

/**
 * PSNR if the loss is the pixel loss alone; distance of VGG features if they are part of the loss; otherwise texture. PSNR
 * falls while an SRGAN learns, so the best by PSNR would be the one that learned least.
 */
export function selectionOf({ mse, adversarial, vgg }: Pick<Variant, 'mse' | 'adversarial' | 'vgg'>): Selection {
  if (vgg) return DISTANCE;
  return mse && !adversarial ? PSNR : TEXTURE;
}

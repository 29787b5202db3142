/** By which figure the checkpoint `best` is chosen: one that has a direction for what is trained. */
import type { TextureFigures } from '../../eval/evaluate.ts';
import type { Scores } from '../../eval/protocols.ts';
import type { Variant } from '../variants.ts';

/** Figures that can choose; `texture` is how far the fine texture is from the original's, |1 − texture|. */
export const SELECTIONS = ['psnr', 'vgg_distance', 'texture'] as const;
export type SelectedBy = (typeof SELECTIONS)[number];

/** Figures as far as they were computed. */
type Measured = Partial<Scores & TextureFigures>;

export interface Selection {
  readonly by: SelectedBy;
  /** In words, for lines and help. */
  readonly words: string;
  /** The figure that is compared: dB for PSNR, else without a unit. Undefined where it was not computed. */
  figureOf(scores: Measured): number | undefined;
  /** Whether `figure` is better than the best so far (null: none yet). What is not finite never is. */
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
 * PSNR falls while an SRGAN learns: its best by PSNR is the one that learned least. So PSNR chooses only where the mean
 * squared error alone is trained on; the distance of the features where they are part of the loss; else texture.
 */
export function selectionOf({ mse, adversarial, vgg }: Pick<Variant, 'mse' | 'adversarial' | 'vgg'>): Selection {
  if (vgg) return DISTANCE;
  return mse && !adversarial ? PSNR : TEXTURE;
}

/** Tiled forward pass and input gradient through workgroup memory, for GPUs, with the kernel of `tiled-correlation.ts`. */
import type { AdapterTraits, Lowering } from '../../../engine/text/kernel.ts';
import type { Tile } from '../tile-product.ts';
import { forwardCorrelation, inputGradientCorrelation } from './correlation.ts';
import { type Conv2dProblem, type Conv2dVariant, describe } from './problem.ts';
import { lowerTiles, tileCount } from './tiled-correlation.ts';

/** Tiles for different image and channel counts: 128, 64 and 64 invocations. */
export type TileName = 'tiled' | 'tiledSmall' | 'tiledThin';

export const TILES: Readonly<Record<TileName, Tile>> = {
  tiled: { across: 128, down: 64, blockAcross: 8, blockDown: 8, depth: 16 },
  // More workgroups for small problems.
  tiledSmall: { across: 32, down: 32, blockAcross: 4, blockDown: 4, depth: 16 },
  // For three channels: uses three of 4 columns, instead of three of 64.
  tiledThin: { across: 256, down: 4, blockAcross: 4, blockDown: 4, depth: 8 },
};

const passes = { forward: forwardCorrelation, inputGradient: inputGradientCorrelation };

const variantOf = (pass: keyof typeof passes, name: TileName): Conv2dVariant => ({
  name,
  accepts: () => true,
  lower: (problem: Conv2dProblem, traits: AdapterTraits): Lowering =>
    lowerTiles(passes[pass](problem, `conv2d.${pass}.${name} ${describe(problem)}`), TILES[name], traits),
});

const variantsOf = (pass: keyof typeof passes): Conv2dVariant[] =>
  (Object.keys(TILES) as TileName[]).map(name => variantOf(pass, name));

export const tiledForward: readonly Conv2dVariant[] = variantsOf('forward');
export const tiledInputGradient: readonly Conv2dVariant[] = variantsOf('inputGradient');

/** Number of workgroups of the pass with this tile. */
export const tiledWorkgroups = (pass: keyof typeof passes, problem: Conv2dProblem, name: TileName): number =>
  tileCount(passes[pass](problem, name), TILES[name]);

/** Which tile a GPU uses where nothing has been measured on it: a rule by counting, see bench/NOTES.md. */
import { type Conv2dProblem, outputSize } from './problem.ts';
import { TILES, type TileName, tiledWorkgroups } from './tiled.ts';
import { weightWorkgroups } from './tiled-weight.ts';

export type Pass = 'forward' | 'inputGradient' | 'weightGradient';

/** Multiply-adds below which the plain kernel is over before another one is compiled. */
const FEW = 1e6;
/** The same for a program that serves images of any size: weights. */
const FEW_WEIGHTS = 2048;
/** Channels of the result up to which the thin tile wastes least. */
const THIN = 2 * TILES.tiledThin.down;
/** Workgroups that a GPU needs to be busy: it has 10 to 140 units, each of which wants several. */
const ENOUGH = 128;

const workgroups = (pass: Pass, problem: Conv2dProblem, name: TileName): number =>
  pass === 'weightGradient' ? weightWorkgroups(problem, name) : tiledWorkgroups(pass, problem, name);

/**
 * The plain kernel for very small problems, else the largest tile that fills the GPU and is half full itself. Tiles of
 * all sizes add the products of a forward pass or input gradient in the same order: a picture comes out the same to the
 * bit whole and in parts. The plain kernel does not, so the size of an image that is an argument does not decide on it.
 */
export function tiledChoice(pass: Pass, problem: Conv2dProblem): TileName | 'plain' {
  const { n, c, k, r, s, baked } = problem;
  const [oh, ow] = outputSize(problem);
  const weights = k * c * r * s;
  if (baked ? n * oh * ow * weights < FEW : weights < FEW_WEIGHTS) return 'plain';
  const channels = pass === 'inputGradient' ? c : k;
  if (channels <= THIN) return 'tiledThin';
  return channels > TILES.tiled.down / 2 && workgroups(pass, problem, 'tiled') >= ENOUGH ? 'tiled' : 'tiledSmall';
}

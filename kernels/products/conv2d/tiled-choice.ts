/** The default tile for a GPU without measurements: a rule based on estimates, see bench/NOTES.md. */
import { type Conv2dProblem, channelsOfGroup, outputSize } from './problem.ts';
import { TILES, type TileName, tiledWorkgroups } from './tiled.ts';
import { weightWorkgroups } from './tiled-weight.ts';

export type Pass = 'forward' | 'inputGradient' | 'weightGradient';

/** Below this many multiply-adds the plain kernel finishes before another one is compiled. */
const FEW = 1e6;
/** The same limit in weights, for programs that serve images of any size. */
const FEW_WEIGHTS = 2048;
/** Up to this many result channels the thin tile wastes the least. */
const THIN = 2 * TILES.tiledThin.down;
/** Workgroups that keep a GPU busy: it has 10 to 140 units, and each needs several. */
const ENOUGH = 128;

const workgroups = (pass: Pass, problem: Conv2dProblem, name: TileName): number =>
  pass === 'weightGradient' ? weightWorkgroups(problem, name) : tiledWorkgroups(pass, problem, name);

/**
 * The plain kernel for very small problems, else the largest tile that fills the GPU and is at least half full. Tiles of all
 * sizes add the products of a forward pass or input gradient in the same order, so the result for an image is bit-identical
 * whole and in parts. The plain kernel adds in another order, so image sizes that are arguments must not select it.
 */
export function tiledChoice(pass: Pass, problem: Conv2dProblem): TileName | 'plain' {
  const { n, r, s, groups = 1, baked } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [oh, ow] = outputSize(problem);
  const weights = groups * k * c * r * s;
  if (baked ? n * oh * ow * weights < FEW : weights < FEW_WEIGHTS) return 'plain';
  const channels = pass === 'inputGradient' ? c : k;
  if (channels <= THIN) return 'tiledThin';
  return channels > TILES.tiled.down / 2 && workgroups(pass, problem, 'tiled') >= ENOUGH ? 'tiled' : 'tiledSmall';
}

/** Which tile a GPU uses where nothing has been measured on it: a rule by counting, see bench/NOTES.md. */
import { type Conv2dProblem, outputSize } from './problem.ts';
import { TILES, type TileName, tiledWorkgroups } from './tiled.ts';
import { weightWorkgroups } from './tiled-weight.ts';

export type Pass = 'forward' | 'inputGradient' | 'weightGradient';

/** Multiply-adds below which the plain kernel is over before another one is compiled. */
const FEW = 1e6;
/** Channels of the result up to which the thin tile wastes least. */
const THIN = 2 * TILES.tiledThin.down;
/** Workgroups that a GPU needs to be busy: it has 10 to 140 units, each of which wants several. */
const ENOUGH = 128;

const workgroups = (pass: Pass, problem: Conv2dProblem, name: TileName): number =>
  pass === 'weightGradient' ? weightWorkgroups(problem, name) : tiledWorkgroups(pass, problem, name);

/** The plain kernel for very small problems, else the largest tile that fills the GPU and is half full itself. */
export function tiledChoice(pass: Pass, problem: Conv2dProblem): TileName | 'plain' {
  const { n, c, k, r, s } = problem;
  const [oh, ow] = outputSize(problem);
  if (n * k * oh * ow * c * r * s < FEW) return 'plain';
  const channels = pass === 'inputGradient' ? c : k;
  if (channels <= THIN) return 'tiledThin';
  return channels > TILES.tiled.down / 2 && workgroups(pass, problem, 'tiled') >= ENOUGH ? 'tiled' : 'tiledSmall';
}

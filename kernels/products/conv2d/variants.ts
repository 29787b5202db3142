/** The variants of each pass, and the rule that chooses one if nothing was measured. */
import type { AdapterTraits } from '../../../engine/text/kernel.ts';
import { Family, type Variant } from '../../../engine/text/variants.ts';
import { broadcastForward, broadcastInputGradient, narrowForward } from './broadcast.ts';
import { broadcastWeightGradient } from './broadcast-weight.ts';
import { plainForward, plainInputGradient, plainWeightGradient } from './plain.ts';
import { type Conv2dProblem, keyOf } from './problem.ts';
import { tiledForward, tiledInputGradient } from './tiled.ts';
import { type Pass, tiledChoice } from './tiled-choice.ts';
import { tiledWeightGradient } from './tiled-weight.ts';

/** On software drivers loads are expensive and broadcasts nearly free (bench/NOTES.md). On GPUs the reverse. */
const rule = (pass: Pass, problem: Conv2dProblem, { software }: AdapterTraits): readonly string[] =>
  software ? ['narrow', 'broadcast'] : [tiledChoice(pass, problem)];

const family = (pass: Pass, variants: readonly Variant<Conv2dProblem>[]) =>
  new Family<Conv2dProblem>({
    name: `conv2d.${pass}`,
    variants,
    rule: (problem, traits) => rule(pass, problem, traits),
    key: keyOf,
  });

export const forwardFamily = family('forward', [narrowForward, broadcastForward, ...tiledForward, plainForward]);
export const inputGradientFamily = family('inputGradient', [
  broadcastInputGradient,
  ...tiledInputGradient,
  plainInputGradient,
]);
export const weightGradientFamily = family('weightGradient', [
  broadcastWeightGradient,
  ...tiledWeightGradient,
  plainWeightGradient,
]);

/** All convolution families, for benchmarks and tuning. */
export const convolutionFamilies = [forwardFamily, inputGradientFamily, weightGradientFamily];

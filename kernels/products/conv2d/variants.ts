/** The variants of each pass, and the rule that chooses one if nothing was measured. */
import type { AdapterTraits } from '../../../engine/text/kernel.ts';
import { Family, type Variant } from '../../../engine/text/variants.ts';
import { broadcastForward, broadcastInputGradient, narrowForward } from './broadcast.ts';
import { broadcastWeightGradient } from './broadcast-weight.ts';
import { depthwiseForward, depthwiseInputGradient } from './depthwise.ts';
import { stripForward, stripInputGradient } from './depthwise-strip.ts';
import { depthwiseWeightGradient } from './depthwise-weight.ts';
import { plainForward, plainInputGradient, plainWeightGradient } from './plain.ts';
import { type Conv2dProblem, keyOf, suitsTiles } from './problem.ts';
import { tiledForward, tiledInputGradient } from './tiled.ts';
import { type Pass, tiledChoice } from './tiled-choice.ts';
import { tiledWeightGradient } from './tiled-weight.ts';

/** On software drivers loads are expensive and broadcasts nearly free (bench/NOTES.md). On GPUs the reverse. */
function rule(pass: Pass, problem: Conv2dProblem, { software }: AdapterTraits): readonly string[] {
  if (!suitsTiles(problem)) return software ? ['strip', 'depthwise'] : ['depthwise'];
  return software ? ['narrow', 'broadcast'] : [tiledChoice(pass, problem)];
}

/** `dense` are the variants for what {@link suitsTiles} describes; the others take the rest. */
const family = (pass: Pass, dense: readonly Variant<Conv2dProblem>[], others: readonly Variant<Conv2dProblem>[]) =>
  new Family<Conv2dProblem>({
    name: `conv2d.${pass}`,
    variants: [
      ...dense.map(variant => ({
        ...variant,
        accepts: (problem: Conv2dProblem, traits: AdapterTraits) =>
          suitsTiles(problem) && variant.accepts(problem, traits),
      })),
      ...others,
    ],
    rule: (problem, traits) => rule(pass, problem, traits),
    key: keyOf,
  });

export const forwardFamily = family(
  'forward',
  [narrowForward, broadcastForward, ...tiledForward],
  [stripForward, depthwiseForward, plainForward],
);
export const inputGradientFamily = family(
  'inputGradient',
  [broadcastInputGradient, ...tiledInputGradient],
  [stripInputGradient, depthwiseInputGradient, plainInputGradient],
);
export const weightGradientFamily = family(
  'weightGradient',
  [broadcastWeightGradient, ...tiledWeightGradient],
  [depthwiseWeightGradient, plainWeightGradient],
);

/** All convolution families, for benchmarks and tuning. */
export const convolutionFamilies = [forwardFamily, inputGradientFamily, weightGradientFamily];

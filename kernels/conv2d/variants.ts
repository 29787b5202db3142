/** Which variant computes a pass. The plain one is last in each list: it takes everything and judges the others. */
import type { AdapterTraits } from '../../engine/kernel.ts';
import { broadcastForward, broadcastInputGradient, narrowForward } from './broadcast.ts';
import { broadcastWeightGradient } from './broadcast-weight.ts';
import { plainForward, plainInputGradient, plainWeightGradient } from './plain.ts';
import type { Conv2dProblem, Conv2dVariant } from './problem.ts';

/** Fastest first. */
export const forwardVariants: readonly Conv2dVariant[] = [narrowForward, broadcastForward, plainForward];
export const inputGradientVariants: readonly Conv2dVariant[] = [broadcastInputGradient, plainInputGradient];
export const weightGradientVariants: readonly Conv2dVariant[] = [broadcastWeightGradient, plainWeightGradient];

const choose =
  (variants: readonly Conv2dVariant[]) =>
  (problem: Conv2dProblem, traits: AdapterTraits): Conv2dVariant =>
    variants.find(variant => variant.accepts(problem, traits))!;

export const chooseForward = choose(forwardVariants);
export const chooseInputGradient = choose(inputGradientVariants);
export const chooseWeightGradient = choose(weightGradientVariants);

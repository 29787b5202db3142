/** The variants of each pass, and the rule that chooses where nothing has been measured. */
import type { AdapterTraits } from '../../engine/kernel.ts';
import { Family, type Variant } from '../../engine/variants.ts';
import { broadcastForward, broadcastInputGradient, narrowForward } from './broadcast.ts';
import { broadcastWeightGradient } from './broadcast-weight.ts';
import { plainForward, plainInputGradient, plainWeightGradient } from './plain.ts';
import { type Conv2dProblem, keyOf } from './problem.ts';

/** Software drivers: loads are dear, broadcasts nearly free (bench/NOTES.md). GPUs: the other way round. */
const rule = (_: Conv2dProblem, { software }: AdapterTraits): readonly string[] =>
  software ? ['narrow', 'broadcast'] : [];

const family = (name: string, variants: readonly Variant<Conv2dProblem>[]) =>
  new Family({ name: `conv2d.${name}`, variants, rule, key: keyOf });

export const forwardFamily = family('forward', [narrowForward, broadcastForward, plainForward]);
export const inputGradientFamily = family('inputGradient', [broadcastInputGradient, plainInputGradient]);
export const weightGradientFamily = family('weightGradient', [broadcastWeightGradient, plainWeightGradient]);

/** All families of convolutions, for benchmarks and tuning. */
export const convolutionFamilies = [forwardFamily, inputGradientFamily, weightGradientFamily];

/** All families of kernels with variants. */
import type { Family } from '../engine/text/variants.ts';
import { convolutionFamilies } from './products/conv2d/variants.ts';
import { matmulFamily } from './products/matmul/variants.ts';

/** A family with its problem type erased. */
export type AnyFamily = Family<unknown>;

export const families: readonly AnyFamily[] = [...convolutionFamilies, matmulFamily] as unknown as AnyFamily[];

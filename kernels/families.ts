/** Every family of kernels that has variants to choose between. */
import type { Family } from '../engine/text/variants.ts';
import { convolutionFamilies } from './products/conv2d/variants.ts';
import { matmulFamily } from './products/matmul/variants.ts';

/** A family without the type of its problems, which only it knows. */
export type AnyFamily = Family<unknown>;

export const families: readonly AnyFamily[] = [...convolutionFamilies, matmulFamily] as unknown as AnyFamily[];

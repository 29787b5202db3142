/** The matrix product problem. */
import type { Shape } from '../../../engine/basics/shape.ts';
import { coordinates } from '../../../engine/text/assemble.ts';

/** c [m, n] = a · b with a [m, k] and b [k, n]; a transposed factor is stored as [k, m] or [n, k]. */
export interface MatmulProblem {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Many products at once; else one. */
  readonly batch?: Batch;
  /** Whether m, k and n are constants in the text; else one text serves every size. */
  readonly baked: boolean;
}

/** The axes over which products repeat, and the elements from one factor to the next along them: 0 where it is the same one. */
export interface Batch {
  readonly shape: Shape;
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** The number of products. */
export const countOf = ({ batch }: MatmulProblem): number => batch?.shape.reduce((all, size) => all * size, 1) ?? 1;

/**
 * A label in BLAS notation: `16x18432x1024 nt` is [16, 18432] · [1024, 18432]ᵀ. Batches come first, with `a` or `b` for each axis
 * along which that factor is the same one: `8,4b of 64x64x64 nn`.
 */
export function describe(problem: MatmulProblem): string {
  const { m, k, n, transposeA, transposeB, batch } = problem;
  const axes = batch?.shape.map((size, i) => `${size}${batch.a[i] ? '' : 'a'}${batch.b[i] ? '' : 'b'}`);
  return `${axes ? `${axes} of ` : ''}${m}x${k}x${n} ${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}`;
}

/** WGSL for the product of number `batch` (i32); all of it is empty if there is one product only. */
export interface BatchText {
  /** Numbers that the text needs. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Statements that declare what the others use. */
  readonly statements: string;
  /** To be put before an element's offset in a or b. */
  readonly a: string;
  readonly b: string;
}

/** The text for a batch whose number is the WGSL expression `index`. */
export function batchText({ batch }: MatmulProblem, index: string): BatchText {
  if (!batch) return { sizes: {}, statements: '', a: '', b: '' };
  const axes = batch.shape.map((_, axis) => axis);
  const strides = (name: string, of: readonly number[]) => axes.map(axis => [`${name}${axis}`, of[axis]] as const);
  const sizes = axes.slice(1).map(axis => [`d${axis}`, batch.shape[axis]] as const);
  const first = (name: string) => axes.map(axis => `a${axis} * ${name}${axis}`).join(' + ');
  return {
    sizes: Object.fromEntries([...sizes, ...strides('strideA', batch.a), ...strides('strideB', batch.b)]),
    statements: `let batch = ${index};
  ${coordinates('batch', axes).join('\n  ')}
  let firstA = ${first('strideA')}; let firstB = ${first('strideB')};`,
    a: 'firstA + ',
    b: 'firstB + ',
  };
}

/** Strides as WGSL: of a along rows and the inner axis, of b along the inner axis and columns. */
export function matrixStrides({ transposeA, transposeB }: MatmulProblem): {
  readonly a: { readonly row: string; readonly inner: string };
  readonly b: { readonly inner: string; readonly column: string };
} {
  return {
    a: transposeA ? { row: '1', inner: 'm' } : { row: 'k', inner: '1' },
    b: transposeB ? { inner: '1', column: 'k' } : { inner: 'n', column: '1' },
  };
}

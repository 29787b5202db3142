/** The matrix product problem. */

/** c [m, n] = a · b with a [m, k] and b [k, n]; a transposed factor is stored as [k, m] or [n, k]. */
export interface MatmulProblem {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Whether m, k and n are constants in the text; else one text serves every size. */
  readonly baked: boolean;
}

/** A label in BLAS notation: `16x18432x1024 nt` is [16, 18432] · [1024, 18432]ᵀ. */
export const describe = ({ m, k, n, transposeA, transposeB }: MatmulProblem): string =>
  `${m}x${k}x${n} ${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}`;

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

/** Least squares for few unknowns whose equations may be dependent. */

import { diagonalize } from './jacobi.ts';

/** Eigenvalues below this share of the largest count as zero. */
const NEGLIGIBLE = 1e-10;

/**
 * The shortest x that minimizes |Cx − r|, from `gram` = CᵀC and `right` = Cᵀr: x = Σ v (vᵀ right) / λ over the
 * eigenvectors v of `gram` whose eigenvalue λ is not negligible. Zero if all are.
 */
export class MinimumNorm {
  readonly #n: number;
  /** n×n, row-major, symmetric; `solve` overwrites it. */
  readonly gram: Float64Array;
  readonly right: Float64Array;
  readonly solution: Float64Array;
  readonly #vectors: Float64Array;

  /** For `n` unknowns. */
  constructor(n: number) {
    this.#n = n;
    this.gram = new Float64Array(n * n);
    this.right = new Float64Array(n);
    this.solution = new Float64Array(n);
    this.#vectors = new Float64Array(n * n);
  }

  /** Writes `solution`. */
  solve(): void {
    const { gram, right, solution } = this;
    const [n, vectors] = [this.#n, this.#vectors];
    diagonalize(gram, vectors, n);
    let largest = 0;
    for (let j = 0; j < n; j++) largest = Math.max(largest, gram[j * n + j]);
    solution.fill(0);
    for (let j = 0; j < n; j++) {
      const value = gram[j * n + j];
      if (!(value > NEGLIGIBLE * largest)) continue;
      let along = 0;
      for (let i = 0; i < n; i++) along += vectors[i * n + j] * right[i];
      along /= value;
      for (let i = 0; i < n; i++) solution[i] += vectors[i * n + j] * along;
    }
  }
}

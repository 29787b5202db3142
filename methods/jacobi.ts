/** Eigenvectors of small symmetric matrices. */

/** More sweeps than any matrix needs. */
const MOST_SWEEPS = 32;

/**
 * Diagonalizes a symmetric matrix by cyclic Jacobi rotations.
 * @param matrix n×n, row-major; becomes diagonal, with the eigenvalues in no particular order.
 * @param vectors n×n, row-major; column j becomes the eigenvector of eigenvalue j, of length 1.
 */
export function diagonalize(matrix: Float64Array, vectors: Float64Array, n: number): void {
  vectors.fill(0);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    vectors[i * n + i] = 1;
    trace += Math.abs(matrix[i * n + i]);
  }
  // What is left beside the diagonal then changes eigenvalues by less than a rounding error.
  const negligible = (trace * Number.EPSILON) ** 2;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let rest = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rest += matrix[p * n + q] ** 2;
    if (!(rest > negligible)) return;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(matrix, vectors, n, p, q);
  }
}

/** One rotation, after which element (p, q) is zero (Golub & Van Loan, Matrix Computations, algorithm 8.5.1). */
function rotate(matrix: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const off = matrix[p * n + q];
  if (off === 0) return;
  const tau = (matrix[q * n + q] - matrix[p * n + p]) / (2 * off);
  const t = tau >= 0 ? 1 / (tau + Math.sqrt(1 + tau * tau)) : 1 / (tau - Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const a = matrix[i * n + p];
    const b = matrix[i * n + q];
    matrix[i * n + p] = c * a - s * b;
    matrix[i * n + q] = s * a + c * b;
  }
  for (let i = 0; i < n; i++) {
    const a = matrix[p * n + i];
    const b = matrix[q * n + i];
    matrix[p * n + i] = c * a - s * b;
    matrix[q * n + i] = s * a + c * b;
    const v = vectors[i * n + p];
    const w = vectors[i * n + q];
    vectors[i * n + p] = c * v - s * w;
    vectors[i * n + q] = s * v + c * w;
  }
  matrix[p * n + q] = 0;
  matrix[q * n + p] = 0;
}

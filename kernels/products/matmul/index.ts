/** Matrix products; `variants.ts` chooses the kernel. */
import { apply } from '../../../engine/apply.ts';
import { ShapeError } from '../../../engine/basics/errors.ts';
import { f32, formatShape, type Shape } from '../../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../../engine/define.ts';
import { specify, specifyFunction } from '../../../engine/specify.ts';
import { type Tensor, tidy } from '../../../engine/tensor.ts';
import { add } from '../../elementwise/arithmetic.ts';
import { matmulFamily } from './variants.ts';

/** Whether each factor is read transposed. */
type MatmulAttributes = { readonly transposeA: boolean; readonly transposeB: boolean };

/** Rows, inner size and columns. Throws if the shapes do not match. */
function sizesOf([p, q]: readonly Shape[], { transposeA, transposeB }: MatmulAttributes): [number, number, number] {
  if (p.length !== 2 || q.length !== 2)
    throw new ShapeError('matmul', `expected two matrices, got ${formatShape(p)} and ${formatShape(q)}.`);
  const [m, k] = transposeA ? [p[1], p[0]] : [p[0], p[1]];
  const [inner, n] = transposeB ? [q[1], q[0]] : [q[0], q[1]];
  if (k !== inner)
    throw new ShapeError(
      'matmul',
      `expected equal inner sizes, got ${k} and ${inner} (${formatShape(p)}, ${formatShape(q)}).`,
    );
  return [m, k, n];
}

const sampleOf = (m: number, k: number, n: number, transposeA = false, transposeB = false) => ({
  inputs: [{ shape: transposeA ? [k, m] : [m, k] }, { shape: transposeB ? [n, k] : [k, n] }],
  attributes: { transposeA, transposeB },
});

export const matmulOp: Declaration<MatmulAttributes> = /* @__PURE__ */ defineOp<MatmulAttributes>({
  name: 'matmul',
  infer(inputs, attributes) {
    const [m, , n] = sizesOf(
      inputs.map(({ shape }) => shape),
      attributes,
    );
    return [f32([m, n])];
  },
  lower({ inputs, attributes, baked }, traits) {
    const [m, k, n] = sizesOf(
      inputs.map(({ shape }) => shape),
      attributes,
    );
    const problem = { m, k, n, ...attributes, baked };
    return matmulFamily.choose(problem, traits).lower(problem, traits);
  },
  gradient({ inputs: [a, b], grads: [g], needs, attributes: { transposeA, transposeB } }) {
    const product = (x: Tensor, y: Tensor, tx: boolean, ty: boolean) =>
      apply(matmulOp, [x, y], { transposeA: tx, transposeB: ty })[0];
    // C = A·B: dA = G·Bᵀ, dB = Aᵀ·G; transposed for a transposed factor.
    return [
      needs[0] ? (transposeA ? product(b, g!, transposeB, true) : product(g!, b, false, !transposeB)) : undefined,
      needs[1] ? (transposeB ? product(g!, a, true, transposeA) : product(a, g!, !transposeA, false)) : undefined,
    ];
  },
});

/* @__PURE__ */ specify(matmulOp, () => ({
  summary: 'Product of two matrices, each optionally transposed.',
  reference([a, b], shapes, attributes) {
    const [m, k, n] = sizesOf(shapes, attributes);
    const { transposeA, transposeB } = attributes;
    const c = new Float64Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let l = 0; l < k; l++)
          c[i * n + j] += a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j];
    return [c];
  },
  samples: [
    sampleOf(1, 1, 1),
    sampleOf(33, 65, 17),
    sampleOf(5, 7, 3, true),
    sampleOf(4, 130, 9, false, true),
    sampleOf(3, 2, 4, true, true),
  ],
  random: choose =>
    sampleOf(
      choose.pick([1, 2, 7, 19]),
      choose.pick([1, 3, 8, 37]),
      choose.pick([1, 5, 13]),
      choose.pick([true, false]),
      choose.pick([true, false]),
    ),
  tolerance: 2e-6,
}));

/** a [m, k] · b [k, n] = [m, n]. */
export const matmul = (a: Tensor, b: Tensor): Tensor =>
  apply(matmulOp, [a, b], { transposeA: false, transposeB: false })[0];

/** PyTorch's linear layer: input [n, in] · weightᵀ + bias, with weight [out, in] and bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const product = () => apply(matmulOp, [x, weight], { transposeA: false, transposeB: true })[0];
  return bias ? tidy(() => add(product(), bias)) : product();
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'linear',
  summary: 'x · weightᵀ + bias.',
  call: ([x, weight, bias]) => [linear(x, weight, bias)],
  reference([x, weight, bias], shapes) {
    const [[rows, size], [out]] = shapes as readonly [readonly number[], readonly number[]];
    const y = new Float64Array(rows * out);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < out; j++) {
        let total = bias[j];
        for (let l = 0; l < size; l++) total += x[i * size + l] * weight[j * size + l];
        y[i * out + j] = total;
      }
    return [y];
  },
  samples: [{ inputs: [{ shape: [4, 32] }, { shape: [10, 32] }, { shape: [10] }], attributes: {} }],
  random(choose) {
    const [rows, size, out] = [choose.integer(1, 5), choose.pick([1, 7, 33]), choose.pick([1, 4, 11])];
    return { inputs: [{ shape: [rows, size] }, { shape: [out, size] }, { shape: [out] }], attributes: {} };
  },
  tolerance: 2e-6,
}));

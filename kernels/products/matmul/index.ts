/** Matrix products; `variants.ts` chooses the kernel. */
import { apply } from '../../../engine/apply.ts';
import { ShapeError } from '../../../engine/basics/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  f32,
  formatShape,
  mergeAxes,
  type Shape,
  sizeOf,
} from '../../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../../engine/define.ts';
import { requireFloats, requireTensors } from '../../../engine/require.ts';
import { specify, specifyFunction } from '../../../engine/specify.ts';
import { type Tensor, tidy } from '../../../engine/tensor.ts';
import { add } from '../../elementwise/arithmetic.ts';
import { reshape } from '../../movement/reshape.ts';
import { sumTo } from '../../reductions/sum.ts';
import { mapIndices } from '../../references.ts';
import type { Batch, MatmulProblem } from './problem.ts';
import { matmulFamily } from './variants.ts';

/** Whether each factor is read transposed. */
type MatmulAttributes = { readonly transposeA: boolean; readonly transposeB: boolean };

const batchOf = (shape: Shape): Shape => shape.slice(0, -2);

/** Rows, inner size and columns. Throws if the shapes do not match. */
function sizesOf([p, q]: readonly Shape[], { transposeA, transposeB }: MatmulAttributes): [number, number, number] {
  if (p.length < 2 || q.length < 2)
    throw new ShapeError('matmul', `expected two matrices, got ${formatShape(p)} and ${formatShape(q)}.`);
  const [[p0, p1], [q0, q1]] = [p.slice(-2), q.slice(-2)];
  const [m, k] = transposeA ? [p1, p0] : [p0, p1];
  const [inner, n] = transposeB ? [q1, q0] : [q0, q1];
  if (k !== inner)
    throw new ShapeError(
      'matmul',
      `expected equal inner sizes, got ${k} and ${inner} (${formatShape(p)}, ${formatShape(q)}).`,
    );
  return [m, k, n];
}

/** The strides of factors, in elements, over the axes of all products. */
function batchStrides(shapes: readonly Shape[]): { readonly shape: Shape; readonly strides: readonly Shape[] } {
  const [p, q] = shapes.map(batchOf);
  const shape = broadcastShapes('matmul', p, q);
  const strides = shapes.map(one => {
    const matrix = sizeOf(one.slice(-2));
    return broadcastStrides(batchOf(one), shape).map(stride => stride * matrix);
  });
  return { shape, strides };
}

function problemOf(shapes: readonly Shape[], attributes: MatmulAttributes, baked: boolean): MatmulProblem {
  const [m, k, n] = sizesOf(shapes, attributes);
  const all = batchStrides(shapes);
  const { shape, strides } = mergeAxes(all.shape, all.strides);
  const batch: Batch | undefined = shape.length > 0 ? { shape, a: strides[0], b: strides[1] } : undefined;
  return { m, k, n, ...attributes, ...(batch && { batch }), baked };
}

const sampleOf = (
  m: number,
  k: number,
  n: number,
  transposeA = false,
  transposeB = false,
  batches: readonly Shape[] = [[], []],
) => ({
  inputs: [
    { shape: [...batches[0], ...(transposeA ? [k, m] : [m, k])] },
    { shape: [...batches[1], ...(transposeB ? [n, k] : [k, n])] },
  ],
  attributes: { transposeA, transposeB },
});

export const matmulOp: Declaration<MatmulAttributes> = /* @__PURE__ */ defineOp<MatmulAttributes>({
  name: 'matmul',
  infer(inputs, attributes) {
    const shapes = inputs.map(({ shape }) => shape);
    const [m, , n] = sizesOf(shapes, attributes);
    return [f32([...batchStrides(shapes).shape, m, n])];
  },
  lower({ inputs, attributes, baked }, traits) {
    const problem = problemOf(
      inputs.map(({ shape }) => shape),
      attributes,
      baked,
    );
    return matmulFamily.choose(problem, traits).lower(problem, traits);
  },
  gradient({ inputs: [a, b], grads: [g], needs, attributes: { transposeA, transposeB } }) {
    const product = (x: Tensor, y: Tensor, tx: boolean, ty: boolean) =>
      multiply(x, y, { transposeA: tx, transposeB: ty });
    // C = A·B: dA = G·Bᵀ, dB = Aᵀ·G; transposed for a transposed factor; summed over products that share a factor.
    const whole = [
      needs[0] ? (transposeA ? product(b, g!, transposeB, true) : product(g!, b, false, !transposeB)) : undefined,
      needs[1] ? (transposeB ? product(g!, a, true, transposeA) : product(a, g!, !transposeA, false)) : undefined,
    ];
    const isMatrix = g!.shape.length === 2;
    return isMatrix ? whole : [a, b].map((factor, i) => whole[i] && sumTo(whole[i], factor.shape));
  },
});

/* @__PURE__ */ specify(matmulOp, () => ({
  summary: 'Products of matrices in the last two axes, each optionally transposed; the other axes broadcast.',
  reference([a, b], shapes, attributes) {
    const [m, k, n] = sizesOf(shapes, attributes);
    const { transposeA, transposeB } = attributes;
    const { shape, strides } = batchStrides(shapes);
    const c = new Float64Array(sizeOf(shape) * m * n);
    let at = 0;
    mapIndices(shape, strides, ([p, q]) => {
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++, at++)
          for (let l = 0; l < k; l++)
            c[at] += a[p + (transposeA ? l * m + i : i * k + l)] * b[q + (transposeB ? j * k + l : l * n + j)];
      return 0;
    });
    return [c];
  },
  samples: [
    sampleOf(1, 1, 1),
    sampleOf(33, 65, 17),
    sampleOf(5, 7, 3, true),
    sampleOf(4, 130, 9, false, true),
    sampleOf(3, 2, 4, true, true),
    sampleOf(3, 5, 2, false, false, [
      [2, 1, 3],
      [4, 1],
    ]),
    sampleOf(4, 9, 5, true, true, [[], [3]]),
  ],
  random(choose) {
    const batch = Array.from({ length: choose.integer(0, 2) }, () => choose.integer(1, 3));
    const [p, q] = [0, 1].map(() => batch.slice(choose.integer(0, batch.length)).map(size => choose.pick([1, size])));
    return sampleOf(
      choose.pick([1, 2, 7, 19]),
      choose.pick([1, 3, 8, 37]),
      choose.pick([1, 5, 13]),
      choose.pick([true, false]),
      choose.pick([true, false]),
      [p, q],
    );
  },
  tolerance: 2e-6,
}));

/** Products of the matrices in the last two axes, each optionally transposed. */
export const multiply = (a: Tensor, b: Tensor, attributes: MatmulAttributes): Tensor =>
  apply(matmulOp, [a, b], attributes)[0];

const AS_THEY_ARE: MatmulAttributes = { transposeA: false, transposeB: false };

/** a [..., m, k] · b [k, n], or bᵀ, as one product of all rows. */
function byRows(a: Tensor, b: Tensor, attributes: MatmulAttributes): Tensor {
  const [, k, n] = sizesOf([a.shape, b.shape], attributes);
  return reshape(multiply(reshape(a, [-1, k]), b, attributes), [...a.shape.slice(0, -1), n]);
}

/**
 * The product of a [m, k] and b [k, n]; of each pair of matrices in [..., m, k] and [..., k, n], whose other axes broadcast; of a
 * matrix and a vector [k] on either side; or of two vectors, a scalar. Throws ShapeError. PyTorch's `matmul`.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  requireTensors('matmul', a, b);
  const [p, q] = [a.shape, b.shape];
  if (p.length === 2 && q.length === 2) return multiply(a, b, AS_THEY_ARE);
  if (p.length === 0 || q.length === 0)
    throw new ShapeError('matmul', `expected matrices or vectors, got ${formatShape(p)} and ${formatShape(q)}.`);
  const inner = q.length === 1 ? q[0] : q.at(-2)!;
  if (p.at(-1) !== inner)
    throw new ShapeError(
      'matmul',
      `expected equal inner sizes, got ${p.at(-1)} and ${inner} (${formatShape(p)}, ${formatShape(q)}).`,
    );
  return tidy(() => {
    const left = p.length === 1 ? reshape(a, [1, -1]) : a;
    const right = q.length === 1 ? reshape(b, [-1, 1]) : b;
    const product = right.shape.length === 2 ? byRows(left, right, AS_THEY_ARE) : multiply(left, right, AS_THEY_ARE);
    const rank = product.shape.length;
    return reshape(
      product,
      product.shape.filter((_, i) => !(p.length === 1 && i === rank - 2) && !(q.length === 1 && i === rank - 1)),
    );
  });
}

/** PyTorch's linear layer: input [..., in] · weightᵀ + bias, with weight [out, in] and bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  requireFloats('linear', x, weight, ...(bias ? [bias] : []));
  const attributes = { transposeA: false, transposeB: true };
  const product = () => (x.shape.length > 2 ? byRows(x, weight, attributes) : multiply(x, weight, attributes));
  return tidy(() => (bias ? add(product(), bias) : product()));
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'linear',
  summary: 'x · weightᵀ + bias.',
  call: ([x, weight, bias]) => [linear(x, weight, bias)],
  reference([x, weight, bias], shapes) {
    const [[out, size]] = [shapes[1]];
    const rows = x.length / size;
    const y = new Float64Array(rows * out);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < out; j++) {
        let total = bias[j];
        for (let l = 0; l < size; l++) total += x[i * size + l] * weight[j * size + l];
        y[i * out + j] = total;
      }
    return [y];
  },
  samples: [
    { inputs: [{ shape: [4, 32] }, { shape: [10, 32] }, { shape: [10] }], attributes: {} },
    { inputs: [{ shape: [2, 3, 5] }, { shape: [4, 5] }, { shape: [4] }], attributes: {} },
  ],
  random(choose) {
    const [rows, size, out] = [choose.integer(1, 5), choose.pick([1, 7, 33]), choose.pick([1, 4, 11])];
    return { inputs: [{ shape: [rows, size] }, { shape: [out, size] }, { shape: [out] }], attributes: {} };
  },
  tolerance: 2e-6,
}));

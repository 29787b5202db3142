/**
 * A tensor engine in float64, as small and plain as can be: what random programs must give. Gradients are recorded on a tape
 * of the same operations, so that they can be differentiated again.
 */
import { broadcastShapes, broadcastStrides, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';

/** A tensor: numbers, and how they came about. */
export interface Numbers64 {
  readonly shape: Shape;
  readonly data: Float64Array;
  readonly parents: readonly Numbers64[];
  /** Gradients of the parents from that of the result. */
  readonly pull: (g: Numbers64) => readonly Numbers64[];
}

type Pull = Numbers64['pull'];

const make = (shape: Shape, data: Float64Array, parents: readonly Numbers64[], pull: Pull): Numbers64 => ({
  shape,
  data,
  parents,
  pull,
});

/** A tensor that nothing leads to. */
export const leaf = (data: ArrayLike<number>, shape: Shape): Numbers64 =>
  make(shape, Float64Array.from(data), [], () => []);

/** Elementwise over the broadcast of two tensors. */
function zip(a: Numbers64, b: Numbers64, f: (x: number, y: number) => number, pull: Pull): Numbers64 {
  const shape = broadcastShapes('test', a.shape, b.shape);
  const own = stridesOf(shape);
  const [p, q] = [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)];
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, index) => {
    let [i, j] = [0, 0];
    for (let axis = 0; axis < shape.length; axis++) {
      const at = Math.floor(index / own[axis]) % shape[axis];
      i += at * p[axis];
      j += at * q[axis];
    }
    return f(a.data[i], b.data[j]);
  });
  return make(shape, data, [a, b], g => pull(g).map((one, i) => sumTo(one, [a, b][i].shape)));
}

const map = (x: Numbers64, f: (x: number) => number, pull: Pull): Numbers64 => make(x.shape, x.data.map(f), [x], pull);

export const add = (a: Numbers64, b: Numbers64): Numbers64 =>
  zip(
    a,
    b,
    (x, y) => x + y,
    g => [g, g],
  );
export const sub = (a: Numbers64, b: Numbers64): Numbers64 =>
  zip(
    a,
    b,
    (x, y) => x - y,
    g => [g, neg(g)],
  );
export const mul = (a: Numbers64, b: Numbers64): Numbers64 =>
  zip(
    a,
    b,
    (x, y) => x * y,
    g => [mul(g, b), mul(g, a)],
  );
export const scale = (x: Numbers64, by: number): Numbers64 =>
  map(
    x,
    v => v * Math.fround(by),
    g => [scale(g, by)],
  );
export const shift = (x: Numbers64, by: number): Numbers64 =>
  map(
    x,
    v => v + Math.fround(by),
    g => [g],
  );
export const neg = (x: Numbers64): Numbers64 => scale(x, -1);
export const square = (x: Numbers64): Numbers64 =>
  map(
    x,
    v => v * v,
    g => [scale(mul(g, x), 2)],
  );
export const relu = (x: Numbers64): Numbers64 =>
  map(
    x,
    v => Math.max(v, 0),
    g => [mul(g, step(x))],
  );
const step = (x: Numbers64): Numbers64 =>
  leaf(
    x.data.map(v => (v > 0 ? 1 : 0)),
    x.shape,
  );
/** x^−½. */
export const inverseRoot = (x: Numbers64): Numbers64 =>
  map(
    x,
    v => 1 / Math.sqrt(v),
    g => {
      const y = inverseRoot(x);
      return [scale(mul(g, mul(y, mul(y, y))), -0.5)];
    },
  );
export function tanh(x: Numbers64): Numbers64 {
  const y: Numbers64 = map(x, Math.tanh, g => [sub(g, mul(g, square(tanh(x))))]);
  return y;
}

const exp = (x: Numbers64): Numbers64 => map(x, Math.exp, g => [mul(g, exp(x))]);
const inverse = (x: Numbers64): Numbers64 =>
  map(
    x,
    v => 1 / v,
    g => [neg(mul(g, square(inverse(x))))],
  );
/** eˣ / Σ eˣ over the last of two axes; x is small. */
export function softmax(x: Numbers64): Numbers64 {
  const powers = exp(x);
  return mul(powers, inverse(sumTo(powers, [x.shape[0], 1])));
}

/** Both of one shape; no gradient flows. */
export const less = (a: Numbers64, b: Numbers64): Numbers64 =>
  leaf(
    a.data.map((v, i) => (v < b.data[i] ? 1 : 0)),
    a.shape,
  );

/** The larger of two of one shape; in a tie both count half. */
export const maximum = (a: Numbers64, b: Numbers64): Numbers64 => {
  const share = (p: Numbers64, q: Numbers64) =>
    leaf(
      p.data.map((v, i) => (v > q.data[i] ? 1 : v < q.data[i] ? 0 : 0.5)),
      p.shape,
    );
  return add(mul(share(a, b), a), mul(share(b, a), b));
};

/** a where c is not 0, else b; all of one shape. */
export const where = (c: Numbers64, a: Numbers64, b: Numbers64): Numbers64 => {
  const chosen = leaf(
    c.data.map(v => (v !== 0 ? 1 : 0)),
    c.shape,
  );
  const other = leaf(
    c.data.map(v => (v !== 0 ? 0 : 1)),
    c.shape,
  );
  return add(mul(chosen, a), mul(other, b));
};

export const reshape = (x: Numbers64, shape: Shape): Numbers64 => make(shape, x.data, [x], g => [reshape(g, x.shape)]);

/** The elements at `indices` of x, flat; the gradient adds them back. */
function take(x: Numbers64, indices: readonly number[], shape: Shape): Numbers64 {
  return make(
    shape,
    Float64Array.from(indices, i => (i < 0 ? 0 : x.data[i])),
    [x],
    g => [spread(g, indices, x.shape)],
  );
}

/** The transpose of {@link take}. */
function spread(x: Numbers64, indices: readonly number[], shape: Shape): Numbers64 {
  const data = new Float64Array(sizeOf(shape));
  indices.forEach((to, from) => {
    if (to >= 0) data[to] += x.data[from];
  });
  return make(shape, data, [x], g => [take(g, indices, x.shape)]);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

export const transpose = (x: Numbers64): Numbers64 => {
  const [rows, columns] = x.shape;
  const indices = range(0, x.data.length).map(i => (i % rows) * columns + Math.floor(i / rows));
  return take(x, indices, [columns, rows]);
};

/** Of a flat tensor. */
export const slice = (x: Numbers64, from: number, to: number): Numbers64 => take(x, range(from, to), [to - from]);

/** Elements of a flat tensor. */
export const select = (x: Numbers64, indices: readonly number[]): Numbers64 => take(x, indices, [indices.length]);

export const everyOther = (x: Numbers64): Numbers64 =>
  select(
    x,
    range(0, x.data.length).filter(i => i % 2 === 0),
  );

/** Of a flat tensor. */
export const flip = (x: Numbers64): Numbers64 => select(x, range(0, x.data.length).reverse());

/** Of a flat tensor. */
export function cumsum(x: Numbers64): Numbers64 {
  let total = 0;
  const data = x.data.map(value => {
    total += value;
    return total;
  });
  return make(x.shape, data, [x], g => [flip(cumsum(flip(g)))]);
}

export const stack = (a: Numbers64, b: Numbers64): Numbers64 =>
  concat(reshape(a, [1, ...a.shape]), reshape(b, [1, ...b.shape]));

/** Each row of two axes times itself. */
export const rowProducts = (x: Numbers64): Numbers64 => reshape(sumTo(square(x), [x.shape[0], 1]), [x.shape[0]]);

/** A flat tensor with zeros around it. */
export const pad = (x: Numbers64, before: number, after: number): Numbers64 =>
  take(
    x,
    [...Array(before).fill(-1), ...range(0, x.data.length), ...Array(after).fill(-1)],
    [before + x.data.length + after],
  );

/** Along the first axis. */
export const concat = (a: Numbers64, b: Numbers64): Numbers64 =>
  reshape(add(pad(reshape(a, [a.data.length]), 0, b.data.length), pad(reshape(b, [b.data.length]), a.data.length, 0)), [
    a.shape[0] + b.shape[0],
    ...a.shape.slice(1),
  ]);

export const broadcastTo = (x: Numbers64, shape: Shape): Numbers64 =>
  mul(x, leaf(new Float64Array(sizeOf(shape)).fill(1), shape));

/** Sums x back to a shape that it was broadcast from. */
export function sumTo(x: Numbers64, shape: Shape): Numbers64 {
  if (x.shape.join() === shape.join()) return x;
  const strides = broadcastStrides(shape, x.shape);
  const own = stridesOf(x.shape);
  const indices = range(0, x.data.length).map(index =>
    x.shape.reduce((at, size, axis) => at + (Math.floor(index / own[axis]) % size) * strides[axis], 0),
  );
  return spread(x, indices, shape);
}

export const sum = (x: Numbers64): Numbers64 => sumTo(x, []);
export const mean = (x: Numbers64): Numbers64 => scale64(sum(x), 1 / x.data.length);
const scale64 = (x: Numbers64, by: number): Numbers64 =>
  map(
    x,
    v => v * by,
    g => [scale64(g, by)],
  );

/** Means over one axis of two, which is kept with size 1 or goes. */
export function meanOver(x: Numbers64, axis: 0 | 1, keep: boolean): Numbers64 {
  const kept = x.shape.map((size, i) => (i === axis ? 1 : size));
  const result = scale64(sumTo(x, kept), 1 / x.shape[axis]);
  return keep
    ? result
    : reshape(
        result,
        x.shape.filter((_, i) => i !== axis),
      );
}

export function matmul(a: Numbers64, b: Numbers64): Numbers64 {
  const [m, k] = a.shape;
  const n = b.shape[1];
  const data = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let l = 0; l < k; l++) data[i * n + j] += a.data[i * k + l] * b.data[l * n + j];
  return make([m, n], data, [a, b], g => [matmul(g, transpose(b)), matmul(transpose(a), g)]);
}

/** A linear map of x: element `to` of the result is the sum of weight · element `from` over `terms`. */
function linearMap(
  x: Numbers64,
  shape: Shape,
  terms: readonly { readonly from: number; readonly to: number; readonly weight: number }[],
): Numbers64 {
  const data = new Float64Array(sizeOf(shape));
  for (const { from, to, weight } of terms) data[to] += weight * x.data[from];
  const back = terms.map(({ from, to, weight }) => ({ from: to, to: from, weight }));
  return make(shape, data, [x], g => [linearMap(g, x.shape, back)]);
}

/** Means over windows of 2 elements of a matrix's rows, 1 apart, with a zero before the first and after the last. */
export function pairMeans(x: Numbers64): Numbers64 {
  const [rows, columns] = x.shape;
  const terms = range(0, rows * (columns + 1)).flatMap(to => {
    const [row, column] = [Math.floor(to / (columns + 1)), to % (columns + 1)];
    return [column - 1, column]
      .filter(at => at >= 0 && at < columns)
      .map(at => ({ from: row * columns + at, to, weight: 0.5 }));
  });
  return linearMap(x, [rows, columns + 1], terms);
}

/** Twice as many columns of a matrix, by linear interpolation with the borders of the image in place. */
export function stretchColumns(x: Numbers64): Numbers64 {
  const [rows, columns] = x.shape;
  const terms = range(0, rows * 2 * columns).flatMap(to => {
    const [row, column] = [Math.floor(to / (2 * columns)), to % (2 * columns)];
    const near = column >> 1;
    const far = Math.min(columns - 1, Math.max(0, near + (column % 2 === 0 ? -1 : 1)));
    return [
      { from: row * columns + near, to, weight: 0.75 },
      { from: row * columns + far, to, weight: 0.25 },
    ];
  });
  return linearMap(x, [rows, 2 * columns], terms);
}

/** Differences of elements 2 apart along the rows of a matrix, with zeros around. */
export function dilatedDifferences(x: Numbers64): Numbers64 {
  const [rows, columns] = x.shape;
  const terms = range(0, rows * columns).flatMap(to =>
    [-1, 1].flatMap(side => {
      const at = (to % columns) + side;
      return at < 0 || at >= columns ? [] : [{ from: to + side, to, weight: side }];
    }),
  );
  return linearMap(x, x.shape, terms);
}

/** Gradients of a scalar, zeros where it does not depend on one of `wrt`. */
export function grad(loss: Numbers64, wrt: readonly Numbers64[]): Numbers64[] {
  const order: Numbers64[] = [];
  const seen = new Set<Numbers64>();
  const visit = (x: Numbers64) => {
    if (seen.has(x)) return;
    seen.add(x);
    x.parents.forEach(visit);
    order.push(x);
  };
  visit(loss);
  const grads = new Map([[loss, leaf([1], loss.shape)]]);
  for (const x of order.reverse()) {
    const g = grads.get(x);
    if (!g) continue;
    x.pull(g).forEach((one, i) => {
      const parent = x.parents[i];
      const sofar = grads.get(parent);
      grads.set(parent, sofar ? add(sofar, one) : one);
    });
  }
  return wrt.map(x => grads.get(x) ?? leaf(new Float64Array(x.data.length), x.shape));
}

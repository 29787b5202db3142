/** Pooling of [N, C, H, W], without padding; incomplete windows are skipped. */
import { apply } from '../../engine/apply.ts';
import { quoted, ShapeError } from '../../engine/basics/errors.ts';
import { f32, formatShape, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { type Choose, type Sample, specify, specifyFunction } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { isNaNText } from '../elementwise/precise.ts';
import { mean } from '../reductions/sum.ts';

type PoolAttributes = { readonly kernel: number; readonly stride: number };
type PoolGradientAttributes = PoolAttributes & { readonly shape: Shape };

function pooledShape(name: string, shape: Shape, { kernel, stride }: PoolAttributes): number[] {
  const [n, c, h, w] = shape;
  const whole = [kernel, stride].every(size => Number.isInteger(size) && size >= 1);
  if (!whole)
    throw new ShapeError(
      name,
      `expected kernel and stride to be integers of at least 1, got ${quoted(kernel)} and ${quoted(stride)}.`,
    );
  const valid = shape.length === 4 && h >= kernel && w >= kernel;
  if (!valid)
    throw new ShapeError(name, `expected [N, C, H, W] with H and W of at least ${kernel}, got ${formatShape(shape)}.`);
  return [n, c, Math.floor((h - kernel) / stride) + 1, Math.floor((w - kernel) / stride) + 1];
}

/** One invocation per element of `target`; `body` declares `value` from plane, row and column. */
function lowerPlanes(
  name: string,
  target: Shape,
  small: Shape,
  big: Shape,
  names: readonly string[],
  baked: boolean,
  body: string,
  traits: AdapterTraits,
): Lowering {
  const numbers = new Numbers(baked, {
    n: sizeOf(target),
    h: big[2],
    w: big[3],
    oh: small[2],
    ow: small[3],
    rows: target[2],
    columns: target[3],
  });
  const element = `let column = index % columns; let row = index / columns % rows; let plane = index / (columns * rows);
    ${body}
    result[index] = value;`;
  const declarations = ACCUMULATION;
  const parts = { name, reads: names, declarations, numbers, elements: sizeOf(target), count: 'n', body: element };
  const kernel = assembleElements(parts, traits);
  return { steps: [{ kernel, operands: [...names.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

/** Calls `visit(window, plane, top, left)` for every window, in order. */
function forEachWindow(
  shape: Shape,
  attributes: PoolAttributes,
  visit: (index: number, plane: number, top: number, left: number) => void,
) {
  const [n, c, oh, ow] = pooledShape('pool', shape, attributes) as [number, number, number, number];
  for (let plane = 0; plane < n * c; plane++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        visit((plane * oh + i) * ow + j, plane, i * attributes.stride, j * attributes.stride);
}

/** Index of the first largest element of a window, or of its last NaN, as in PyTorch. */
function largest(x: Float64Array, [, , h, w]: Shape, kernel: number, plane: number, top: number, left: number): number {
  let best = (plane * h + top) * w + left;
  for (let p = 0; p < kernel; p++)
    for (let q = 0; q < kernel; q++) {
      const at = (plane * h + top + p) * w + left + q;
      if (x[at] > x[best] || Number.isNaN(x[at])) best = at;
    }
  return best;
}

const randomShape = (choose: Choose): number[] => [
  choose.integer(1, 2),
  choose.pick([1, 3, 5]),
  choose.pick([3, 7, 8]),
  choose.pick([3, 9, 12]),
];
const randomWindow = (choose: Choose): PoolAttributes => ({
  kernel: choose.integer(1, 3),
  stride: choose.integer(1, 3),
});

const sampleOf = (shape: Shape, kernel: number, stride: number): Sample<PoolAttributes> => ({
  inputs: [{ shape }],
  attributes: { kernel, stride },
});

export const maxPool2dOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'maxPool2d',
  infer: ([x], attributes) => [f32(pooledShape('maxPool2d', x.shape, attributes))],
  lower: ({ inputs, outputs, attributes: { kernel, stride }, baked }, traits) =>
    lowerPlanes(
      'maxPool2d',
      outputs[0].shape,
      outputs[0].shape,
      inputs[0].shape,
      ['x'],
      baked,
      `let start = (plane * h + row * ${stride}) * w + column * ${stride};
  var value = x[start];
  for (var p = 0; p < ${kernel}; p++) { for (var q = 0; q < ${kernel}; q++) {
    let v = x[start + p * w + q];
    value = select(value, v, v > value || ${isNaNText('v')});
  } }`,
      traits,
    ),
  gradient: ({ inputs: [x], grads, attributes }) => [apply(maxPool2dGradientOp, [grads[0]!, x], attributes)[0]],
});

/* @__PURE__ */ specify(maxPool2dOp, () => ({
  summary: 'Maximum of each window, NaN if it contains one; ties pass the gradient to the first.',
  reference([x], [shape], attributes) {
    const y = new Float64Array(sizeOf(pooledShape('maxPool2d', shape, attributes)));
    forEachWindow(shape, attributes, (index, plane, top, left) => {
      y[index] = x[largest(x, shape, attributes.kernel, plane, top, left)];
    });
    return [y];
  },
  samples: [sampleOf([2, 5, 8, 8], 2, 2), sampleOf([1, 3, 7, 9], 2, 2), sampleOf([1, 1, 2, 2], 2, 2)],
  random: choose => ({ inputs: [{ shape: randomShape(choose) }], attributes: randomWindow(choose) }),
}));

/**
 * Sums over the windows that contain an element: those whose first row i has i·stride ≤ row < i·stride + kernel. `body`
 * adds one window's contribution.
 */
const windows = (kernel: number, stride: number, body: string, result: string): string => `var sum = ${emptySum('g')};
  for (var i = max(0, (row - ${kernel} + ${stride}) / ${stride}); i < oh && i * ${stride} <= row; i++) {
    for (var j = max(0, (column - ${kernel} + ${stride}) / ${stride}); j < ow && j * ${stride} <= column; j++) {
      if (row >= i * ${stride} + ${kernel} || column >= j * ${stride} + ${kernel}) { continue; }
      ${body}
    }
  }
  let value = ${result};`;

export const maxPool2dGradientOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'maxPool2dGradient',
  infer: ([, x]) => [f32(x.shape)],
  lower: ({ inputs, attributes: { kernel, stride }, baked }, traits) =>
    lowerPlanes(
      'maxPool2dGradient',
      inputs[1].shape,
      inputs[0].shape,
      inputs[1].shape,
      ['g', 'x'],
      baked,
      windows(
        kernel,
        stride,
        `let start = (plane * h + i * ${stride}) * w + j * ${stride};
      var best = start; var most = x[start];
      for (var p = 0; p < ${kernel}; p++) { for (var q = 0; q < ${kernel}; q++) {
        let v = x[start + p * w + q];
        if (v > most || ${isNaNText('v')}) { most = v; best = start + p * w + q; }
      } }
      if (best == index) { addTo(&sum, g[(plane * oh + i) * ow + j]); }`,
        'totalOf(sum)',
      ),
      traits,
    ),
});

/* @__PURE__ */ specify(maxPool2dGradientOp, () => ({
  summary: 'The gradient of maxPool2d from g and x.',
  reference([g, x], [, shape], attributes) {
    const gx = new Float64Array(x.length);
    forEachWindow(shape, attributes, (index, plane, top, left) => {
      gx[largest(x, shape, attributes.kernel, plane, top, left)] += g[index];
    });
    return [gx];
  },
  samples: [
    {
      inputs: [{ shape: [1, 1, 2, 2] }, { shape: [1, 1, 4, 4], values: Array.from({ length: 16 }, () => 1) }],
      attributes: { kernel: 2, stride: 2 },
    },
  ],
  random(choose) {
    const shape = randomShape(choose);
    const attributes = randomWindow(choose);
    return { inputs: [{ shape: pooledShape('maxPool2d', shape, attributes) }, { shape }], attributes };
  },
}));

export const avgPool2dOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'avgPool2d',
  infer: ([x], attributes) => [f32(pooledShape('avgPool2d', x.shape, attributes))],
  lower: ({ inputs, outputs, attributes: { kernel, stride }, baked }, traits) =>
    lowerPlanes(
      'avgPool2d',
      outputs[0].shape,
      outputs[0].shape,
      inputs[0].shape,
      ['x'],
      baked,
      `let start = (plane * h + row * ${stride}) * w + column * ${stride};
  var sum = ${emptySum('x')};
  for (var p = 0; p < ${kernel}; p++) { for (var q = 0; q < ${kernel}; q++) { addTo(&sum, x[start + p * w + q]); } }
  let value = totalOf(sum) / ${kernel ** 2}.0;`,
      traits,
    ),
  gradient: ({ inputs: [x], grads, attributes }) => [
    apply(avgPool2dGradientOp, [grads[0]!], { ...attributes, shape: x.shape })[0],
  ],
});

/* @__PURE__ */ specify(avgPool2dOp, () => ({
  summary: 'Mean of each window.',
  reference([x], [shape], attributes) {
    const { kernel } = attributes;
    const [, , h, w] = shape;
    const y = new Float64Array(sizeOf(pooledShape('avgPool2d', shape, attributes)));
    forEachWindow(shape, attributes, (index, plane, top, left) => {
      for (let p = 0; p < kernel; p++)
        for (let q = 0; q < kernel; q++) y[index] += x[(plane * h + top + p) * w + left + q] / kernel ** 2;
    });
    return [y];
  },
  samples: [sampleOf([2, 5, 8, 8], 2, 2), sampleOf([1, 3, 7, 9], 2, 2)],
  random: choose => ({ inputs: [{ shape: randomShape(choose) }], attributes: randomWindow(choose) }),
}));

export const avgPool2dGradientOp: Declaration<PoolGradientAttributes> =
  /* @__PURE__ */ defineOp<PoolGradientAttributes>({
    name: 'avgPool2dGradient',
    infer: (_, { shape }) => [f32(shape)],
    lower: ({ inputs, attributes: { kernel, stride, shape }, baked }, traits) =>
      lowerPlanes(
        'avgPool2dGradient',
        shape,
        inputs[0].shape,
        shape,
        ['g'],
        baked,
        windows(kernel, stride, 'addTo(&sum, g[(plane * oh + i) * ow + j]);', `totalOf(sum) / ${kernel ** 2}.0`),
        traits,
      ),
    gradient: ({ grads, attributes: { kernel, stride } }) => [avgPool2d(grads[0]!, kernel, stride)],
  });

/* @__PURE__ */ specify(avgPool2dGradientOp, () => ({
  summary: 'The gradient of avgPool2d.',
  reference([g], _, attributes) {
    const { kernel, shape } = attributes;
    const [, , h, w] = shape;
    const gx = new Float64Array(sizeOf(shape));
    forEachWindow(shape, attributes, (index, plane, top, left) => {
      for (let p = 0; p < kernel; p++)
        for (let q = 0; q < kernel; q++) gx[(plane * h + top + p) * w + left + q] += g[index] / kernel ** 2;
    });
    return [gx];
  },
  samples: [{ inputs: [{ shape: [1, 1, 2, 2] }], attributes: { kernel: 2, stride: 2, shape: [1, 1, 4, 5] } }],
  random(choose) {
    const shape = randomShape(choose);
    const attributes = randomWindow(choose);
    return { inputs: [{ shape: pooledShape('avgPool2d', shape, attributes) }], attributes: { ...attributes, shape } };
  },
}));

/** Maximum of each `kernel`×`kernel` window, with `stride` (default `kernel`). */
export const maxPool2d = (x: Tensor, kernel: number, stride = kernel): Tensor =>
  apply(maxPool2dOp, [x], { kernel, stride })[0];

/** Mean of each `kernel`×`kernel` window, with `stride` (default `kernel`). */
export const avgPool2d = (x: Tensor, kernel: number, stride = kernel): Tensor =>
  apply(avgPool2dOp, [x], { kernel, stride })[0];

/** Mean over all pixels: [N, C, H, W] to [N, C]. */
export function globalAvgPool2d(x: Tensor): Tensor {
  if (x.shape.length !== 4)
    throw new ShapeError('globalAvgPool2d', `expected [N, C, H, W], got ${formatShape(x.shape)}.`);
  return mean(x, { axes: [2, 3] });
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'globalAvgPool2d',
  summary: 'Mean over all pixels.',
  call: ([x]) => [globalAvgPool2d(x)],
  reference([x], [shape]) {
    const inner = sizeOf(shape.slice(2));
    const y = new Float64Array(sizeOf(shape.slice(0, 2)));
    x.forEach((value, i) => {
      y[Math.floor(i / inner)] += value / inner;
    });
    return [y];
  },
  samples: [{ inputs: [{ shape: [2, 5, 8, 8] }], attributes: {} }],
  random: choose => ({ inputs: [{ shape: randomShape(choose) }], attributes: {} }),
}));

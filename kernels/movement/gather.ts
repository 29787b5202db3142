/**
 * Elements by indices along an axis, and their transpose, which adds elements where indices say. Indices are i32, u32, or whole
 * numbers in f32. What a GPU finds outside of an axis it cannot throw for: the results are NaN; among whole numbers, which have no
 * NaN, −2³¹ or 2³² − 1.
 */
import { apply } from '../../engine/apply.ts';
import { ShapeError } from '../../engine/basics/errors.ts';
import {
  broadcastStrides,
  f32,
  formatShape,
  like,
  normalizeAxes,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  wgslType,
} from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements, coordinates } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { add } from '../elementwise/arithmetic.ts';
import { mapIndices } from '../references.ts';
import { indexWords } from './indices.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';

type GatherAttributes = {
  readonly axis: number;
  /** The result's; indices broadcast to it, but not along the axis. */
  readonly shape: Shape;
};

/** Named strides, one for each axis: `x0`, `x1` …. */
const named = (name: string, strides: readonly number[]): Record<string, number> =>
  Object.fromEntries(strides.map((stride, axis) => [`${name}${axis}`, stride]));

/** The WGSL of an offset by coordinates `a` over all axes but one. */
const offset = (name: string, rank: number, without = -1): string =>
  Array.from({ length: rank }, (_, axis) => axis)
    .filter(axis => axis !== without)
    .map(axis => `a${axis} * ${name}${axis}`)
    .join(' + ') || '0';

const positionIn = (rank: number): string =>
  coordinates(
    'index',
    Array.from({ length: rank }, (_, axis) => axis),
  ).join('\n    ');

export const gatherOp: Declaration<GatherAttributes> = /* @__PURE__ */ defineOp<GatherAttributes>({
  name: 'gather',
  takes: ['any', 'u32'],
  infer: ([x], { shape }) => [like(x, shape)],
  lower({ inputs: [x, index], attributes: { axis, shape }, baked }, traits) {
    const rank = shape.length;
    const numbers = new Numbers(baked, {
      n: sizeOf(shape),
      size: x.shape[axis],
      ...named('d', shape),
      ...named('x', stridesOf(x.shape)),
      ...named('i', broadcastStrides(index.shape, shape)),
    });
    const outside =
      x.dtype === 'i32' ? 'i32(-2147483648)' : x.dtype === 'u32' ? '4294967295u' : numbers.float(Number.NaN);
    const type = wgslType(x.dtype);
    const body = `${positionIn(rank)}
    let at = indices[${offset('i', rank)}];
    let inside = min(i32(min(at, 0x7fffffffu)), size - 1);
    result[index] = select(${outside}, x[${offset('x', rank, axis)} + inside * x${axis}], at < u32(size));`;
    const parts = {
      name: 'gather',
      reads: [`x: array<${type}>`, 'indices: array<u32>'],
      writes: [`result: array<${type}>`],
      numbers,
      elements: sizeOf(shape),
    };
    const kernel = assembleElements({ ...parts, count: 'n', body }, traits);
    return { steps: [{ kernel, operands: [input(0), input(1), output(0)] }], scratch: [] };
  },
  gradient: ({ inputs: [x, index], grads, attributes: { axis } }) => [
    apply(scatterOp, [grads[0]!, index], { axis, shape: x.shape })[0],
    null,
  ],
});

/** An index tensor, for the references. */
interface Indices {
  readonly values: Float64Array;
  readonly shape: Shape;
}

/** Calls `f` for each element of `shape`: its flat position, its index, and where in `target` its line along `axis` starts. */
function eachIndexed(
  shape: Shape,
  index: Indices,
  target: Shape,
  axis: number,
  f: (at: number, index: number, line: number) => void,
): void {
  const others = stridesOf(target).map((stride, i) => (i === axis ? 0 : stride));
  let at = 0;
  mapIndices(shape, [broadcastStrides(index.shape, shape), others], ([from, line]) => {
    f(at++, index.values[from], line);
    return 0;
  });
}

/** The elements of x that `index` names. */
function gathered(x: Float64Array, source: Shape, index: Indices, shape: Shape, axis: number): Float64Array {
  const y = new Float64Array(sizeOf(shape));
  const stride = stridesOf(source)[axis];
  eachIndexed(shape, index, source, axis, (at, i, line) => {
    y[at] = isInside(i, source[axis]) ? x[line + i * stride] : Number.NaN;
  });
  return y;
}

const isInside = (index: number, size: number): boolean => Number.isInteger(index) && index >= 0 && index < size;

/* @__PURE__ */ specify(gatherOp, () => ({
  summary: 'Elements at indices along an axis; NaN for an index outside.',
  reference: ([x, index], [source, given], { axis, shape }) => [
    gathered(x, source, { values: index, shape: given }, shape, axis),
  ],
  samples: [
    {
      inputs: [{ shape: [2, 4, 3] }, { shape: [2, 6, 2], dtype: 'u32', range: [0, 4] }],
      attributes: { axis: 1, shape: [2, 6, 2] },
    },
    {
      inputs: [{ shape: [3, 2] }, { shape: [4, 1], dtype: 'u32', values: [2, 2, 3, 2 ** 32 - 1] }],
      attributes: { axis: 0, shape: [4, 2] },
      kink: 'NaN',
    },
  ],
  random(choose) {
    const source = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 3, 8]));
    const axis = choose.integer(0, source.length - 1);
    const shape = source.map((size, i) => (i === axis ? choose.pick([1, 2, 11]) : choose.integer(1, size)));
    const given = shape.map((size, i) => (i === axis ? size : choose.pick([1, size])));
    return {
      inputs: [{ shape: source }, { shape: given, dtype: 'u32', range: [0, source[axis]] }],
      attributes: { axis, shape },
    };
  },
}));

/**
 * The sums of source elements at the places that indices name, zero where none does. Elements of one index are a chain, in order:
 * each knows the next one, and the first of them adds all. So no two invocations write to one place, and sums have the same bits
 * each time.
 */
export const scatterOp: Declaration<GatherAttributes> = /* @__PURE__ */ defineOp<GatherAttributes>({
  name: 'scatterSum',
  takes: ['f32', 'u32'],
  infer: (_, { shape }) => [f32(shape)],
  lower: ({ inputs, attributes: { axis, shape }, baked }, traits) =>
    lowerScatter(inputs[0].shape, inputs[1].shape, shape, axis, baked, traits),
  gradient: ({ inputs: [source, index], grads, attributes: { axis } }) => [
    apply(gatherOp, [grads[0]!, index], { axis, shape: source.shape })[0],
    null,
  ],
});

/** The bit of a chain's first element. */
const FIRST = '0x80000000u';

function lowerScatter(
  source: Shape,
  index: Shape,
  shape: Shape,
  axis: number,
  baked: boolean,
  traits: AdapterTraits,
): Lowering {
  const rank = shape.length;
  const lines = index.map((size, i) => (i === axis ? 1 : size));
  const aligned = broadcastStrides(index, source);
  const alongLines = broadcastStrides(lines, source);
  const [size, count, inner] = [shape[axis], index[axis], stridesOf(index)[axis]];
  const elements = { index: sizeOf(index), lines: sizeOf(lines), source: sizeOf(source), result: sizeOf(shape) };
  // Each element looks for the next one with its index, and for one before.
  const links = assembleElements(
    {
      name: 'scatterSum.links',
      reads: ['indices: array<u32>'],
      writes: ['links: array<u32>'],
      numbers: new Numbers(baked, { n: elements.index, count, inner }),
      elements: elements.index,
      count: 'n',
      heavy: true,
      body: `let at = index / inner % count; let own = indices[index];
    var next = at + 1;
    while (next < count && indices[index + (next - at) * inner] != own) { next++; }
    var before = at - 1;
    while (before >= 0 && indices[index + (before - at) * inner] != own) { before--; }
    links[index] = u32(next) | select(0u, ${FIRST}, before < 0);`,
    },
    traits,
  );
  const faults = assembleElements(
    {
      name: 'scatterSum.faults',
      reads: ['indices: array<u32>'],
      writes: ['faults: array<u32>'],
      numbers: new Numbers(baked, { n: elements.lines, count, inner, size }),
      elements: elements.lines,
      count: 'n',
      heavy: true,
      body: `let first = index / inner * inner * count + index % inner;
    var largest = 0u;
    for (var i = 0; i < count; i++) { largest = max(largest, indices[first + i * inner]); }
    faults[index] = select(0u, 1u, largest >= u32(size));`,
    },
    traits,
  );
  const axes = Array.from({ length: rank }, (_, i) => i).filter(i => i !== axis);
  const around = new Numbers(baked, {
    n: elements.result,
    ...named('d', shape),
    ...named('h', source),
    ...named('l', alongLines),
  });
  const beside = axes.map(i => `a${i} < h${i}`).join(' && ') || 'true';
  const empty = assembleElements(
    {
      name: 'scatterSum.empty',
      reads: ['faults: array<u32>'],
      numbers: around,
      elements: elements.result,
      count: 'n',
      body: `${positionIn(rank)}
    var value = 0.0;
    if (${beside}) { value = select(0.0, ${around.float(Number.NaN)}, faults[${offset('l', rank, axis)}] != 0u); }
    result[index] = value;`,
    },
    traits,
  );
  const sums = assembleElements(
    {
      name: 'scatterSum.sums',
      reads: ['x', 'indices: array<u32>', 'links: array<u32>', 'faults: array<u32>'],
      declarations: ACCUMULATION,
      numbers: new Numbers(baked, {
        n: elements.source,
        count,
        ...named('d', source),
        ...named('x', stridesOf(source)),
        ...named('i', aligned),
        ...named('l', alongLines),
        ...named('t', stridesOf(shape)),
      }),
      elements: elements.source,
      count: 'n',
      body: `${positionIn(rank)}
    let line = ${offset('i', rank, axis)};
    var link = links[line + a${axis} * i${axis}];
    if ((link & ${FIRST}) == 0u || faults[${offset('l', rank, axis)}] != 0u) { continue; }
    var sum = ${emptySum('x')};
    addTo(&sum, x[index]);
    for (var next = i32(link & ~${FIRST}); next < count; next = i32(links[line + next * i${axis}] & ~${FIRST})) {
      addTo(&sum, x[index + (next - a${axis}) * x${axis}]);
    }
    let at = i32(indices[line + a${axis} * i${axis}]);
    result[${offset('t', rank, axis)} + at * t${axis}] = totalOf(sum);`,
    },
    traits,
  );
  return {
    steps: [
      { kernel: links, operands: [input(1), scratch(0)] },
      { kernel: faults, operands: [input(1), scratch(1)] },
      { kernel: empty, operands: [scratch(1), output(0)] },
      { kernel: sums, operands: [input(0), input(1), scratch(0), scratch(1), output(0)] },
    ],
    scratch: [elements.index, elements.lines],
  };
}

/** Sums of `source` at the places that `index` names. A fault makes all of its line NaN. */
function scattered(source: Float64Array, sourceShape: Shape, index: Indices, shape: Shape, axis: number): Float64Array {
  const y = new Float64Array(sizeOf(shape));
  const stride = stridesOf(shape)[axis];
  eachIndexed(sourceShape, index, shape, axis, (at, i, line) => {
    if (isInside(i, shape[axis])) y[line + i * stride] += source[at];
    else for (let k = 0; k < shape[axis]; k++) y[line + k * stride] = Number.NaN;
  });
  return y;
}

/* @__PURE__ */ specify(scatterOp, () => ({
  summary: 'Sums of elements by indices along an axis, in order; NaN along the axis for an index outside.',
  reference: ([source, index], [given, indices], { axis, shape }) => [
    scattered(source, given, { values: index, shape: indices }, shape, axis),
  ],
  samples: [
    {
      inputs: [{ shape: [2, 9, 3] }, { shape: [2, 9, 3], dtype: 'u32', range: [0, 4] }],
      attributes: { axis: 1, shape: [3, 4, 5] },
    },
    {
      inputs: [{ shape: [4, 2] }, { shape: [4, 2], dtype: 'u32', values: [1, 1, 0, 2, 1, 3, 1, 1] }],
      attributes: { axis: 0, shape: [3, 2] },
      kink: 'NaN',
    },
  ],
  random(choose) {
    const source = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 3, 8]));
    const axis = choose.integer(0, source.length - 1);
    const shape = source.map((size, i) => (i === axis ? choose.pick([1, 2, 11]) : size + choose.integer(0, 2)));
    const given = source.map((size, i) => (i === axis ? size : choose.pick([1, size])));
    return {
      inputs: [{ shape: source }, { shape: given, dtype: 'u32', range: [0, shape[axis]] }],
      attributes: { axis, shape },
    };
  },
}));

/** Throws ShapeError unless `index` has x's rank and is not larger, except along the axis. */
function checkIndex(name: string, x: Tensor, index: Tensor, axis: number): void {
  const fits =
    index.shape.length === x.shape.length && index.shape.every((size, i) => i === axis || size <= x.shape[i]);
  if (!fits)
    throw new ShapeError(
      name,
      `expected indices of at most ${formatShape(x.shape)} except along axis ${axis}, got ${formatShape(index.shape)}.`,
    );
}

/**
 * The elements x[…, index[…, i, …], …] with `index` along `axis` (negative from the end): the result has the shape of `index`, which
 * has x's rank and is not larger than x, except along the axis. Indices are u32, or whole numbers in f32; one that is outside of the
 * axis gives NaN. The gradient adds up repeated elements. PyTorch's `gather`.
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  requireTensors('gather', x, index);
  const [at] = normalizeAxes('gather', [axis], x.shape.length);
  checkIndex('gather', x, index, at);
  return tidy(() => apply(gatherOp, [x, indexWords(index)], { axis: at, shape: index.shape })[0]);
}

/**
 * x with each element of `source` added at the index of the same position in `index` along `axis`: the transpose of {@link gather}.
 * `index` is not larger than `source`, nor than x except along the axis. Repeated indices add up, in order; an index that is
 * outside makes the results along the axis NaN. PyTorch's `scatter_add`.
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  requireTensors('scatterAdd', x, index, source);
  const [at] = normalizeAxes('scatterAdd', [axis], x.shape.length);
  checkIndex('scatterAdd', x, index, at);
  const { shape } = index;
  if (source.shape.length !== shape.length || shape.some((size, i) => size > source.shape[i]))
    throw new ShapeError(
      'scatterAdd',
      `expected a source of at least ${formatShape(shape)} (the indices), got ${formatShape(source.shape)}.`,
    );
  return tidy(() => {
    const used = sameShape(source.shape, shape)
      ? source
      : slice(
          source,
          shape.map(() => 0),
          shape,
        );
    return add(x, apply(scatterOp, [used, indexWords(index)], { axis: at, shape: x.shape })[0]);
  });
}

/**
 * The slices of x at `index`, one number each, along `axis` (negative from the end): its size becomes that of `index`, of rank 1
 * or 0. Indices are u32, or whole numbers in f32; one that is outside of the axis gives NaN. PyTorch's `index_select`.
 */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  requireTensors('indexSelect', x, index);
  const [at] = normalizeAxes('indexSelect', [axis], x.shape.length);
  if (index.shape.length > 1)
    throw new ShapeError('indexSelect', `expected indices of rank 1, got ${formatShape(index.shape)}.`);
  const shape = x.shape.map((size, i) => (i === at ? index.size : size));
  return tidy(() => {
    const line = reshape(
      indexWords(index),
      x.shape.map((_, i) => (i === at ? index.size : 1)),
    );
    return apply(gatherOp, [x, line], { axis: at, shape })[0];
  });
}

type AxisAttributes = { readonly axis: number };

/** Whole numbers below `bound`, at random, as the content of an input. */
const drawn = (choose: { integer(min: number, max: number): number }, shape: Shape, bound: number) => ({
  shape,
  values: Array.from({ length: sizeOf(shape) }, () => choose.integer(0, bound - 1)),
  fixed: true,
});

/* @__PURE__ */ specifyFunction<AxisAttributes>(() => ({
  name: 'scatterAdd',
  summary: 'Adds elements at indices along an axis; repeated ones add up.',
  call: ([x, index, source], { axis }) => [scatterAdd(x, axis, index, source)],
  reference([x, index, source], [shape, given, whole], { axis }) {
    const strides = stridesOf(whole);
    const used = mapIndices(given, [strides], ([at]) => source[at]);
    const sums = scattered(used, given, { values: index, shape: given }, shape, axis);
    return [x.map((value, i) => value + sums[i])];
  },
  samples: [
    {
      inputs: [{ shape: [3, 5] }, { shape: [2, 4], values: [0, 4, 4, 4, 1, 0, 1, 3], fixed: true }, { shape: [3, 4] }],
      attributes: { axis: 1 },
    },
    {
      inputs: [{ shape: [4] }, { shape: [3], dtype: 'u32', values: [0, 4, 1] }, { shape: [3] }],
      attributes: { axis: 0 },
      kink: 'NaN',
    },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5]));
    const axis = choose.integer(0, shape.length - 1);
    const given = shape.map((size, i) => (i === axis ? choose.pick([1, 4, 9]) : choose.integer(1, size)));
    return {
      inputs: [{ shape }, drawn(choose, given, shape[axis]), { shape: given }],
      attributes: { axis },
    };
  },
}));

/* @__PURE__ */ specifyFunction<AxisAttributes>(() => ({
  name: 'indexSelect',
  summary: 'Slices at indices along an axis; NaN for an index outside.',
  call: ([x, index], { axis }) => [indexSelect(x, axis, index)],
  reference([x, index], [source], { axis }) {
    const shape = source.map((size, i) => (i === axis ? index.length : size));
    const line = shape.map((size, i) => (i === axis ? size : 1));
    return [gathered(x, source, { values: index, shape: line }, shape, axis)];
  },
  samples: [
    {
      inputs: [{ shape: [2, 4, 3] }, { shape: [5], values: [3, 0, 3, 1, 3], fixed: true }],
      attributes: { axis: 1 },
    },
    {
      inputs: [{ shape: [3, 2] }, { shape: [4], values: [0.5, -1, 3, Number.NaN], fixed: true }],
      attributes: { axis: 0 },
      kink: 'NaN',
    },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5]));
    const axis = choose.integer(0, shape.length - 1);
    return {
      inputs: [{ shape }, drawn(choose, [choose.pick([1, 3, 9])], shape[axis])],
      attributes: { axis },
    };
  },
}));

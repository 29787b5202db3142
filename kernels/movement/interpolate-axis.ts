/**
 * Resizing along one axis: each element of the result is a weighted sum of 1, 2 or 4 neighbours, as in PyTorch 1.13. Images are
 * resized along one axis after the other.
 */
import { apply } from '../../engine/apply.ts';
import { f32, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import { type Choose, type Sample, specify } from '../../engine/specify.ts';
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { lines, range } from '../../engine/text/repeat.ts';

/** How {@link interpolate} weighs neighbours. */
export type InterpolationMode = 'nearest' | 'bilinear' | 'bicubic';

export interface AxisResize {
  readonly axis: number;
  /** Number of elements before and after. */
  readonly size: number;
  readonly target: number;
  /** Distance in x between neighbours of the result, if other than size / target. Not used with `alignCorners`. */
  readonly scale?: number;
  readonly mode: InterpolationMode;
  /** Whether the first and last elements of x and of the result coincide; else the borders of the images do. */
  readonly alignCorners: boolean;
}

type ResizeAttributes = AxisResize & Attributes;

/** The parameter of the cubic convolution (Keys 1981) that PyTorch uses. */
const A = -0.75;

/** Whether the result is x itself. In PyTorch, `bilinear` of the same size is, whatever the scale factor. */
export const isIdentity = ({ size, target, scale = 1, mode, alignCorners }: AxisResize): boolean =>
  size === target && (scale === 1 || mode === 'bilinear' || alignCorners);

/** The first tap of element `at` of the result, which may be outside of x, and the weights of all taps. */
function tapsOf(resize: AxisResize, at: number): { first: number; weights: number[] } {
  const { size, target, scale = size / target, mode, alignCorners } = resize;
  if (mode === 'nearest') {
    // PyTorch multiplies in float32.
    return { first: Math.min(Math.floor(Math.fround(at * Math.fround(scale))), size - 1), weights: [1] };
  }
  const exact = alignCorners ? (at * (size - 1)) / Math.max(target - 1, 1) : (at + 0.5) * scale - 0.5;
  const source = mode === 'bilinear' ? Math.max(exact, 0) : exact;
  const left = Math.floor(source);
  const t = source - left;
  if (mode === 'bilinear') return { first: left, weights: [1 - t, t] };
  const near = (d: number) => ((A + 2) * d - (A + 3)) * d * d + 1;
  const far = (d: number) => ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;
  return { first: left - 1, weights: [far(t + 1), near(t), near(1 - t), far(2 - t)] };
}

/** Calls `visit(x, y, weight)` with the flat indices of every product. */
function forEachProduct(shape: Shape, resize: AxisResize, visit: (x: number, y: number, weight: number) => void): void {
  const { axis, size, target } = resize;
  const inner = sizeOf(shape.slice(axis + 1));
  for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++)
    for (let at = 0; at < target; at++) {
      const { first, weights } = tapsOf(resize, at);
      weights.forEach((weight, tap) => {
        const column = Math.min(size - 1, Math.max(0, first + tap));
        for (let i = 0; i < inner; i++)
          visit((outer * size + column) * inner + i, (outer * target + at) * inner + i, weight);
      });
    }
}

const TAPS = { nearest: 1, bilinear: 2, bicubic: 4 } as const;

const CUBIC = `fn cubicNear(d: f32) -> f32 { return (${A + 2} * d - ${A + 3}) * d * d + 1.0; }
fn cubicFar(d: f32) -> f32 { return ((${A} * d + ${-5 * A}) * d + ${8 * A}) * d + ${-4 * A}; }`;

/**
 * WGSL that declares `first` and the weights `w0 …` of element `at` of the result. The position in x is a fraction of integers,
 * exact for every size, unless it follows from a scale factor.
 */
function tapsText({ size, target, scale, mode, alignCorners }: AxisResize, numbers: Numbers): string {
  if (mode === 'nearest')
    return `let first = min(i32(floor(f32(at) * ${numbers.float(scale ?? size / target)})), size - 1); let w0 = 1.0;`;
  const isCubic = mode === 'bicubic';
  const atLeast0 = (text: string, zero: string) => (isCubic ? text : `max(${text}, ${zero})`);
  const position =
    scale === undefined || alignCorners
      ? `let over = ${alignCorners ? 'max(goal - 1, 1)' : '2 * goal'};
    let part = ${alignCorners ? 'at * (size - 1)' : atLeast0('(2 * at + 1) * size - goal', '0')};
    let left = (part + over) / over - 1; let t = f32(part - left * over) / f32(over);`
      : `let source = ${atLeast0(`(f32(at) + 0.5) * ${numbers.float(scale)} - 0.5`, '0.0')};
    let left = i32(floor(source)); let t = source - f32(left);`;
  return `${position}
    ${
      isCubic
        ? 'let first = left - 1; let w0 = cubicFar(t + 1.0); let w1 = cubicNear(t); let w2 = cubicNear(1.0 - t); let w3 = cubicFar(2.0 - t);'
        : 'let first = left; let w0 = 1.0 - t; let w1 = t;'
    }`;
}

function lowerAxis(
  name: string,
  shape: Shape,
  resize: AxisResize,
  of: 'size' | 'goal',
  baked: boolean,
  body: (numbers: Numbers) => string,
  traits: AdapterTraits,
): Lowering {
  const { axis, size, target, mode } = resize;
  const numbers = new Numbers(baked, { n: sizeOf(shape), inner: sizeOf(shape.slice(axis + 1)), size, goal: target });
  const kernel = assembleElements(
    {
      name: `${name} ${mode}`,
      reads: ['x'],
      numbers,
      declarations: `${ACCUMULATION}\n${mode === 'bicubic' ? CUBIC : ''}`,
      elements: sizeOf(shape),
      count: 'n',
      body: `let i = index % inner; let place = index / inner % ${of}; let outer = index / (inner * ${of});
    ${body(numbers)}`,
    },
    traits,
  );
  return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
}

const resized = (shape: Shape, axis: number, size: number): number[] =>
  shape.map((own, i) => (i === axis ? size : own));

export const interpolateAxisOp: Declaration<ResizeAttributes> = /* @__PURE__ */ defineOp<ResizeAttributes>({
  name: 'interpolateAxis',
  infer: ([x], { axis, target }) => [f32(resized(x.shape, axis, target))],
  lower({ outputs: [y], attributes, baked }, traits) {
    const { mode } = attributes;
    const body = (numbers: Numbers) => `let at = place;
    ${tapsText(attributes, numbers)}
    let start = outer * size * inner + i;
    ${lines(TAPS[mode], tap => `let x${tap} = x[start + clamp(first + ${tap}, 0, size - 1) * inner];`)}
    result[index] = ${
      mode === 'nearest'
        ? 'x0'
        : range(TAPS[mode])
            .map(tap => `x${tap} * w${tap}`)
            .join(' + ')
    };`;
    return lowerAxis('interpolateAxis', y.shape, attributes, 'goal', baked, body, traits);
  },
  gradient: ({ grads, attributes }) => [apply(interpolateAxisGradientOp, [grads[0]!], attributes)[0]],
});

const sampleOf = (shape: Shape, resize: Omit<AxisResize, 'size'>): Sample<ResizeAttributes> => ({
  inputs: [{ shape }],
  attributes: { ...resize, size: shape[resize.axis] },
});

const samples = (): Sample<ResizeAttributes>[] => [
  sampleOf([2, 3, 5], { axis: 1, target: 7, mode: 'nearest', alignCorners: false }),
  sampleOf([2, 5], { axis: 1, target: 11, scale: 1 / 2.3, mode: 'nearest', alignCorners: false }),
  sampleOf([2, 4, 3], { axis: 1, target: 8, mode: 'bilinear', alignCorners: false }),
  sampleOf([9, 2], { axis: 0, target: 4, scale: 1 / 0.45, mode: 'bilinear', alignCorners: false }),
  sampleOf([3, 4], { axis: 1, target: 1, mode: 'bilinear', alignCorners: true }),
  sampleOf([3, 5, 2], { axis: 1, target: 9, mode: 'bicubic', alignCorners: false }),
  sampleOf([1, 5], { axis: 1, target: 8, mode: 'bicubic', alignCorners: true }),
];

function randomSample(choose: Choose): Sample<ResizeAttributes> {
  const shape = [choose.integer(1, 3), choose.pick([1, 2, 5, 8, 17]), choose.pick([1, 3, 7])];
  const axis = choose.pick([1, 2]);
  const mode = choose.pick(['nearest', 'bilinear', 'bicubic'] as const);
  const target = choose.pick([1, 2, 3, 8, 19]);
  const factor = target / shape[axis] + choose.pick([0, 0.3]) / shape[axis];
  return sampleOf(shape, {
    axis,
    target,
    mode,
    alignCorners: mode !== 'nearest' && choose.pick([true, false]),
    ...(choose.pick([true, false]) && { scale: 1 / factor }),
  });
}

/** The definition, in float64. */
export function interpolateAxisReference(x: ArrayLike<number>, shape: Shape, resize: AxisResize): Float64Array {
  const y = new Float64Array(sizeOf(resized(shape, resize.axis, resize.target)));
  forEachProduct(shape, resize, (from, to, weight) => {
    y[to] += weight * x[from];
  });
  return y;
}

/* @__PURE__ */ specify(interpolateAxisOp, () => ({
  summary: 'Resizes one axis: the kernel of interpolate.',
  reference: ([x], [shape], resize) => [interpolateAxisReference(x, shape, resize)],
  samples: samples(),
  random: randomSample,
}));

/** Each element of x gathers from the elements of the result that read it, which are neighbours. */
export const interpolateAxisGradientOp: Declaration<ResizeAttributes> = /* @__PURE__ */ defineOp<ResizeAttributes>({
  name: 'interpolateAxisGradient',
  infer: ([g], { axis, size }) => [f32(resized(g.shape, axis, size))],
  lower({ outputs: [gx], attributes, baked }, traits) {
    const { size, target, scale = size / target, mode, alignCorners } = attributes;
    const centred = mode !== 'nearest' && !alignCorners;
    // Distance in x of neighbours; with one element the clamp below decides.
    const step = target === 1 ? 1 : alignCorners ? Math.max((size - 1) / (target - 1), 1 / target) : scale;
    const reach = mode === 'bicubic' ? 2 : 1;
    const body = (numbers: Numbers) => {
      const stepText = numbers.float(step);
      // One more at each side, for what float32 rounds.
      const bound = (by: number) => {
        const position = centred
          ? `(f32(place) + ${(by * reach + 0.5).toFixed(1)}) / ${stepText} - 0.5`
          : `(f32(place) + ${(by * reach).toFixed(1)}) / ${stepText}`;
        return `i32(clamp(floor(${position}) + ${(by > 0 ? 2 : -1).toFixed(1)}, 0.0, f32(goal - 1)))`;
      };
      return `var sum = ${emptySum('x')};
    let last = ${bound(1)};
    for (var at = ${bound(-1)}; at <= last; at++) {
    ${tapsText(attributes, numbers)}
    var weight = 0.0;
    ${lines(TAPS[mode], tap => `weight += select(0.0, w${tap}, clamp(first + ${tap}, 0, size - 1) == place);`)}
    addTo(&sum, select(0.0, x[(outer * goal + at) * inner + i] * weight, weight != 0.0));
    }
    result[index] = totalOf(sum);`;
    };
    return lowerAxis('interpolateAxisGradient', gx.shape, attributes, 'size', baked, body, traits);
  },
  gradient: ({ grads, attributes }) => [apply(interpolateAxisOp, [grads[0]!], attributes)[0]],
});

const gradientSample = ({ inputs: [x], attributes }: Sample<ResizeAttributes>): Sample<ResizeAttributes> => ({
  inputs: [{ shape: resized(x.shape, attributes.axis, attributes.target) }],
  attributes,
});

/* @__PURE__ */ specify(interpolateAxisGradientOp, () => ({
  summary: 'The transpose of interpolateAxis.',
  reference([g], [shape], resize) {
    const gx = new Float64Array(sizeOf(resized(shape, resize.axis, resize.size)));
    forEachProduct(resized(shape, resize.axis, resize.size), resize, (from, to, weight) => {
      gx[from] += weight * g[to];
    });
    return [gx];
  },
  samples: samples().map(gradientSample),
  random: choose => gradientSample(randomSample(choose)),
}));

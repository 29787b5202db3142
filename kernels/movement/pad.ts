/** Slicing and padding. */
import { apply } from '../../engine/apply.ts';
import { checkOptions, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { f32, formatShape, like, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { type Specification, specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { Numbers } from '../../engine/text/numbers.ts';
import { mapIndices, words } from '../references.ts';
import {
  checkPadding,
  lowerCoordinates,
  type PadAttributes,
  type Padding,
  paddedShape,
  padSizes,
  reflected,
} from './padding.ts';
import { lowerStrided } from './strided.ts';

const listed = (numbers: readonly number[]): string =>
  Array.isArray(numbers) ? formatShape(numbers) : quoted(numbers);

type SliceAttributes = { readonly start: readonly number[]; readonly end: readonly number[] };

export const sliceOp: Declaration<SliceAttributes> = /* @__PURE__ */ defineOp<SliceAttributes>({
  name: 'slice',
  takes: ['any'],
  infer([x], { start, end }) {
    const { shape } = x;
    const valid =
      Array.isArray(start) &&
      Array.isArray(end) &&
      start.length === shape.length &&
      end.length === shape.length &&
      [...start, ...end].every(Number.isInteger) &&
      shape.every((size, axis) => start[axis] >= 0 && start[axis] < end[axis] && end[axis] <= size);
    if (!valid)
      throw new ShapeError(
        'slice',
        `expected integer bounds inside ${formatShape(shape)}, got ${listed(start)} to ${listed(end)}.`,
      );
    return [
      like(
        x,
        start.map((first, axis) => end[axis] - first),
      ),
    ];
  },
  lower({ inputs, outputs, attributes: { start }, baked }, traits) {
    const strides = stridesOf(inputs[0].shape);
    const offset = start.reduce((sum, first, axis) => sum + first * strides[axis], 0);
    return lowerStrided('slice', outputs[0].shape, strides, offset, baked, traits);
  },
  gradient({ inputs, grads, attributes: { start, end } }) {
    return [
      pad(
        grads[0]!,
        inputs[0].shape.map((size, axis) => [start[axis], size - end[axis]] as const),
      ),
    ];
  },
});

/* @__PURE__ */ specify(sliceOp, () => ({
  summary: 'The elements from `start` to before `end` on each axis.',
  reference([x], [shape], { start, end }) {
    const strides = stridesOf(shape);
    const offset = start.reduce((sum, first, axis) => sum + first * strides[axis], 0);
    return [
      mapIndices(
        start.map((first, axis) => end[axis] - first),
        [strides],
        ([at]) => x[at + offset],
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [2, 4, 3, 6] }], attributes: { start: [0, 1, 0, 2], end: [2, 3, 3, 5] } },
    { inputs: [words([4, 5])], attributes: { start: [1, 2], end: [3, 5] } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 3, 7, 19]));
    const start = shape.map(size => choose.integer(0, size - 1));
    const end = shape.map((size, axis) => choose.integer(start[axis] + 1, size));
    return { inputs: [{ shape }], attributes: { start, end } };
  },
}));

/** x from `start` to before `end`, with one number per axis. */
export const slice = (x: Tensor, start: readonly number[], end: readonly number[]): Tensor =>
  apply(sliceOp, [x], { start, end })[0];

export const padOp: Declaration<PadAttributes> = /* @__PURE__ */ defineOp<PadAttributes>({
  name: 'pad',
  takes: ['any'],
  infer([x], attributes) {
    checkPadding('pad', x, attributes);
    return [like(x, paddedShape(x.shape, attributes.padding))];
  },
  lower({ inputs, outputs, attributes: { padding, mode, value }, baked }, traits) {
    const { shape } = inputs[0];
    const axes = shape.map((_, axis) => axis);
    const at = axes.map(axis => `c${axis} * s${axis}`).join(' + ') || '0';
    const from = axes.map(axis => `let c${axis} = a${axis} - p${axis};`).join(' ');
    const inside = axes.map(axis => `c${axis} >= 0 && c${axis} < h${axis}`).join(' && ') || 'true';
    const constant = (numbers: Numbers) => `${from}
    var value = ${numbers.bits(value, inputs[0].dtype)};
    if (${inside}) { value = x[${at}]; }`;
    const mirrored = () => `${axes
      .map(
        axis =>
          `let m${axis} = abs(a${axis} - p${axis}); let c${axis} = select(2 * (h${axis} - 1) - m${axis}, m${axis}, m${axis} < h${axis});`,
      )
      .join('\n    ')}
    let value = x[${at}];`;
    const repeated = () => `${axes
      .map(axis => `let c${axis} = clamp(a${axis} - p${axis}, 0, h${axis} - 1);`)
      .join('\n    ')}
    let value = x[${at}];`;
    const body = { constant, reflect: mirrored, replicate: repeated }[mode];
    return lowerCoordinates(`pad ${mode}`, outputs[0].shape, padSizes(shape, padding), body, baked, traits);
  },
  gradient({ inputs, grads, attributes }) {
    const { shape } = inputs[0];
    const { padding, mode } = attributes;
    if (mode === 'reflect') return [apply(padReflectGradientOp, [grads[0]!], { shape, padding })[0]];
    if (mode === 'replicate') return [apply(padReplicateGradientOp, [grads[0]!], { shape, padding })[0]];
    const start = padding.map(([before]) => before);
    return [
      slice(
        grads[0]!,
        start,
        start.map((first, axis) => first + shape[axis]),
      ),
    ];
  },
});

/* @__PURE__ */ specify<PadAttributes>(padOp, () => ({
  summary:
    'Pads each axis before and after: with a constant, by reflection without repeating the edge, or by repeating the edge.',
  reference([x], [shape], { padding, mode, value }) {
    const target = paddedShape(shape, padding);
    const own = stridesOf(target);
    const strides = stridesOf(shape);
    return [
      Float64Array.from({ length: sizeOf(target) }, (_, index) => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          let c = (Math.floor(index / own[axis]) % target[axis]) - padding[axis][0];
          if (mode === 'reflect') c = reflected(c, shape[axis]);
          if (mode === 'replicate') c = Math.min(shape[axis] - 1, Math.max(0, c));
          if (c < 0 || c >= shape[axis]) return value;
          at += c * strides[axis];
        }
        return x[at];
      }),
    ];
  },
  samples: [
    {
      inputs: [{ shape: [1, 2, 4, 3] }],
      attributes: {
        padding: [
          [0, 0],
          [0, 0],
          [3, 0],
          [1, 2],
        ],
        mode: 'constant',
        value: 0.5,
      },
    },
    {
      inputs: [{ shape: [1, 2, 5, 4] }],
      attributes: {
        padding: [
          [0, 0],
          [0, 0],
          [3, 0],
          [1, 2],
        ],
        mode: 'reflect',
        value: 0,
      },
    },
    { inputs: [words([3])], attributes: { padding: [[1, 2]], mode: 'constant', value: 2 ** 32 - 1 } },
    { inputs: [words([4])], attributes: { padding: [[3, 1]], mode: 'reflect', value: 0 } },
    {
      inputs: [{ shape: [1, 2, 1, 3] }],
      attributes: {
        padding: [
          [0, 0],
          [0, 0],
          [2, 1],
          [4, 0],
        ],
        mode: 'replicate',
        value: 0,
      },
    },
    { inputs: [words([4])], attributes: { padding: [[3, 5]], mode: 'replicate', value: 0 } },
  ],
  random(choose) {
    const mode = choose.pick(['constant', 'reflect', 'replicate'] as const);
    const shape = [choose.integer(1, 2), choose.integer(1, 3), choose.pick([3, 7, 11]), choose.pick([3, 5, 13])];
    const amount = (most: number) => [choose.integer(0, most), choose.integer(0, most)] as const;
    return {
      inputs: [{ shape }],
      attributes: {
        padding: [amount(0), amount(0), amount(2), amount(2)],
        mode,
        value: mode === 'constant' ? 0.25 : 0,
      },
    };
  },
}));

type PadGradientAttributes = { readonly shape: Shape; readonly padding: Padding };

/** Each element sums the positions that mirror it: on each axis itself, the mirror before, the mirror after. */
export const padReflectGradientOp: Declaration<PadGradientAttributes> = /* @__PURE__ */ defineOp<PadGradientAttributes>(
  {
    name: 'padReflectGradient',
    infer: (_, { shape }) => [f32(shape)],
    lower({ inputs, attributes: { shape, padding }, baked }, traits) {
      const source = inputs[0].shape;
      const axes = shape.map((_, axis) => axis).filter(axis => padding[axis][0] + padding[axis][1] > 0);
      const sizes = padSizes(source, padding);
      const fixed = shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
      let body = `var value = 0.0; let o = ${fixed.map(axis => `a${axis} * s${axis}`).join(' + ') || '0'};\n`;
      // Candidates on axis i: p + a, p − a (a ≥ 1), p + 2(d − 1) − a (a ≤ d − 2), if they are inside.
      for (const axis of axes)
        body += `for (var k${axis} = 0; k${axis} < 3; k${axis}++) {
      if ((k${axis} == 1 && a${axis} == 0) || (k${axis} == 2 && a${axis} == d${axis} - 1)) { continue; }
      let c${axis} = p${axis} + select(select(a${axis}, -a${axis}, k${axis} == 1), 2 * (d${axis} - 1) - a${axis}, k${axis} == 2);
      if (c${axis} < 0 || c${axis} >= h${axis}) { continue; }\n`;
      body += `value += x[o${axes.map(axis => ` + c${axis} * s${axis}`).join('')}];\n${'}'.repeat(axes.length)}`;
      return lowerCoordinates('padReflectGradient', shape, sizes, () => body, baked, traits, { reads: ['x'] });
    },
    gradient: ({ grads, attributes: { padding } }) => [pad(grads[0]!, padding, { mode: 'reflect' })],
  },
);

/* @__PURE__ */ specify<PadGradientAttributes>(padReflectGradientOp, () =>
  transposeOf(reflected, {
    summary: 'The transpose of reflecting padding.',
    sample: { padded: [1, 2, 8, 7], shape: [1, 2, 5, 4], rows: [3, 0], columns: [1, 2] },
    heights: [3, 7],
    widths: [3, 5, 13],
  }),
);

/** Each element sums the positions that repeat it: itself, and at an edge all beyond it. */
export const padReplicateGradientOp: Declaration<PadGradientAttributes> =
  /* @__PURE__ */ defineOp<PadGradientAttributes>({
    name: 'padReplicateGradient',
    infer: (_, { shape }) => [f32(shape)],
    lower({ inputs, attributes: { shape, padding }, baked }, traits) {
      const source = inputs[0].shape;
      const axes = shape.map((_, axis) => axis).filter(axis => padding[axis][0] + padding[axis][1] > 0);
      const sizes = padSizes(source, padding);
      const fixed = shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
      let body = `var value = 0.0; let o = ${fixed.map(axis => `a${axis} * s${axis}`).join(' + ') || '0'};\n`;
      for (const axis of axes)
        body += `let first${axis} = select(p${axis} + a${axis}, 0, a${axis} == 0);
    let last${axis} = select(p${axis} + a${axis}, h${axis} - 1, a${axis} == d${axis} - 1);
    for (var c${axis} = first${axis}; c${axis} <= last${axis}; c${axis}++) {\n`;
      body += `value += x[o${axes.map(axis => ` + c${axis} * s${axis}`).join('')}];\n${'}'.repeat(axes.length)}`;
      return lowerCoordinates('padReplicateGradient', shape, sizes, () => body, baked, traits, { reads: ['x'] });
    },
    gradient: ({ grads, attributes: { padding } }) => [pad(grads[0]!, padding, { mode: 'replicate' })],
  });

/* @__PURE__ */ specify<PadGradientAttributes>(padReplicateGradientOp, () =>
  transposeOf((c, size) => Math.min(size - 1, Math.max(0, c)), {
    summary: 'The transpose of padding by repeating the edge.',
    sample: { padded: [1, 2, 6, 7], shape: [1, 2, 3, 1], rows: [3, 0], columns: [4, 2] },
    heights: [1, 7],
    widths: [1, 5, 13],
  }),
);

interface TransposeCases {
  readonly summary: string;
  readonly sample: { readonly padded: Shape; readonly shape: Shape; readonly rows: Pair; readonly columns: Pair };
  /** Sizes of random problems. */
  readonly heights: readonly number[];
  readonly widths: readonly number[];
}

type Pair = readonly [before: number, after: number];

/** The specification of a padding's transpose. `from` is the position that a padded one, relative to the first, copies. */
function transposeOf(
  from: (position: number, size: number) => number,
  { summary, sample, heights, widths }: TransposeCases,
): Specification<PadGradientAttributes> {
  return {
    summary,
    reference([g], [source], { shape, padding }) {
      const own = stridesOf(source);
      const strides = stridesOf(shape);
      const y = new Float64Array(sizeOf(shape));
      g.forEach((value, index) => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          const c = (Math.floor(index / own[axis]) % source[axis]) - padding[axis][0];
          at += from(c, shape[axis]) * strides[axis];
        }
        y[at] += value;
      });
      return [y];
    },
    samples: [
      {
        inputs: [{ shape: sample.padded }],
        attributes: { shape: sample.shape, padding: [[0, 0], [0, 0], sample.rows, sample.columns] },
      },
    ],
    random(choose) {
      const shape = [1, choose.integer(1, 3), choose.pick(heights), choose.pick(widths)];
      const amount = () => [choose.integer(0, 2), choose.integer(0, 2)] as const;
      const padding: Padding = [[0, 0], [0, 0], amount(), amount()];
      return { inputs: [{ shape: paddedShape(shape, padding) }], attributes: { shape, padding } };
    },
  };
}

export interface PadOptions {
  /**
   * `constant` (default), `reflect`: mirrors without repeating the edge; padding must be less than the size, or `replicate`:
   * repeats the edge.
   */
  readonly mode?: 'constant' | 'reflect' | 'replicate';
  /** The constant; default 0. */
  readonly value?: number;
}

/** x padded by `[before, after]` elements on each axis. */
export function pad(x: Tensor, padding: Padding, options: PadOptions = {}): Tensor {
  checkOptions('pad', options, ['mode', 'value']);
  const { mode = 'constant', value = 0 } = options;
  return apply(padOp, [x], { padding, mode, value })[0];
}

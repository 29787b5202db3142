/** Padding. */
import { apply } from '../../engine/apply.ts';
import { checkOptions } from '../../engine/basics/errors.ts';
import { f32, like, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { Numbers } from '../../engine/text/numbers.ts';
import { words } from '../references.ts';
import {
  checkPadding,
  copied,
  lowerCoordinates,
  type PadAttributes,
  type Padding,
  type PadMode,
  paddedShape,
  padSizes,
} from './padding.ts';
import { slice } from './slice.ts';

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
    const wrapped = () => `${axes
      .map(
        axis =>
          `let m${axis} = (a${axis} - p${axis}) % h${axis}; let c${axis} = select(m${axis}, m${axis} + h${axis}, m${axis} < 0);`,
      )
      .join('\n    ')}
    let value = x[${at}];`;
    const body = { constant, reflect: mirrored, replicate: repeated, circular: wrapped }[mode];
    return lowerCoordinates(`pad ${mode}`, outputs[0].shape, padSizes(shape, padding), body, baked, traits);
  },
  gradient({ inputs, grads, attributes }) {
    const { shape } = inputs[0];
    const { padding, mode } = attributes;
    if (mode !== 'constant') return [apply(padGradientOp, [grads[0]!], { shape, padding, mode })[0]];
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
    'Pads each axis before and after: with a constant, by reflection without repeating the edge, by repeating the edge, or circularly.',
  reference([x], [shape], { padding, mode, value }) {
    const target = paddedShape(shape, padding);
    const own = stridesOf(target);
    const strides = stridesOf(shape);
    return [
      Float64Array.from({ length: sizeOf(target) }, (_, index) => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          let c = (Math.floor(index / own[axis]) % target[axis]) - padding[axis][0];
          if (mode !== 'constant') c = copied[mode](c, shape[axis]);
          else if (c < 0 || c >= shape[axis]) return value;
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
    {
      inputs: [{ shape: [2, 4, 3] }],
      attributes: {
        padding: [
          [0, 0],
          [4, 1],
          [1, 2],
        ],
        mode: 'circular',
        value: 0,
      },
    },
    { inputs: [words([3])], attributes: { padding: [[7, 1]], mode: 'circular', value: 0 } },
  ],
  random(choose) {
    const mode = choose.pick(['constant', 'reflect', 'replicate', 'circular'] as const);
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

type PadGradientAttributes = {
  readonly shape: Shape;
  readonly padding: Padding;
  readonly mode: Exclude<PadMode, 'constant'>;
};

/** Opens a loop over the padded positions `c` that copy element `a` of an axis: what follows runs for each. */
const COPIES: Readonly<Record<PadGradientAttributes['mode'], (axis: number) => string>> = {
  // Candidates: p + a, p − a (a ≥ 1), p + 2(d − 1) − a (a ≤ d − 2), if they are inside.
  reflect: axis => `for (var k${axis} = 0; k${axis} < 3; k${axis}++) {
      if ((k${axis} == 1 && a${axis} == 0) || (k${axis} == 2 && a${axis} == d${axis} - 1)) { continue; }
      let c${axis} = p${axis} + select(select(a${axis}, -a${axis}, k${axis} == 1), 2 * (d${axis} - 1) - a${axis}, k${axis} == 2);
      if (c${axis} < 0 || c${axis} >= h${axis}) { continue; }`,
  // Itself, and at an edge all beyond it.
  replicate: axis => `let first${axis} = select(p${axis} + a${axis}, 0, a${axis} == 0);
    let last${axis} = select(p${axis} + a${axis}, h${axis} - 1, a${axis} == d${axis} - 1);
    for (var c${axis} = first${axis}; c${axis} <= last${axis}; c${axis}++) {`,
  circular: axis =>
    `for (var c${axis} = (p${axis} + a${axis}) % d${axis}; c${axis} < h${axis}; c${axis} += d${axis}) {`,
};

/** Each element sums the positions that copy it. */
export const padGradientOp: Declaration<PadGradientAttributes> = /* @__PURE__ */ defineOp<PadGradientAttributes>({
  name: 'padGradient',
  infer: (_, { shape }) => [f32(shape)],
  lower({ inputs, attributes: { shape, padding, mode }, baked }, traits) {
    const all = shape.map((_, axis) => axis);
    const axes = all.filter(axis => padding[axis][0] + padding[axis][1] > 0);
    const fixed = all.filter(axis => !axes.includes(axis));
    const place = (some: readonly number[], name: string) =>
      some.map(axis => `${name}${axis} * s${axis}`).join(' + ') || '0';
    const body = () => `var value = 0.0; let o = ${place(fixed, 'a')};
    ${axes.map(COPIES[mode]).join('\n    ')}
    value += x[o + ${place(axes, 'c')}];
    ${'}'.repeat(axes.length)}`;
    const sizes = padSizes(inputs[0].shape, padding);
    return lowerCoordinates(`padGradient ${mode}`, shape, sizes, body, baked, traits, { reads: ['x'] });
  },
  gradient: ({ grads, attributes: { padding, mode } }) => [pad(grads[0]!, padding, { mode })],
});

/* @__PURE__ */ specify<PadGradientAttributes>(padGradientOp, () => {
  const around: Padding = [
    [0, 0],
    [0, 0],
    [3, 0],
    [1, 2],
  ];
  const sampleOf = (shape: Shape, padding: Padding, mode: PadGradientAttributes['mode']) => ({
    inputs: [{ shape: paddedShape(shape, padding) }],
    attributes: { shape, padding, mode },
  });
  return {
    summary: 'The transpose of padding by reflection, by repeating the edge, or circularly.',
    reference([g], [source], { shape, padding, mode }) {
      const own = stridesOf(source);
      const strides = stridesOf(shape);
      const y = new Float64Array(sizeOf(shape));
      g.forEach((value, index) => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          const c = (Math.floor(index / own[axis]) % source[axis]) - padding[axis][0];
          at += copied[mode](c, shape[axis]) * strides[axis];
        }
        y[at] += value;
      });
      return [y];
    },
    samples: [
      sampleOf([1, 2, 5, 4], around, 'reflect'),
      sampleOf([1, 2, 3, 1], around, 'replicate'),
      sampleOf([1, 2, 2, 4], around, 'circular'),
    ],
    random(choose) {
      const mode = choose.pick(['reflect', 'replicate', 'circular'] as const);
      const sizes = mode === 'reflect' ? [3, 5, 13] : [1, 5, 13];
      const shape = [1, choose.integer(1, 3), choose.pick(sizes), choose.pick(sizes)];
      const amount = () => [choose.integer(0, 2), choose.integer(0, 2)] as const;
      return sampleOf(shape, [[0, 0], [0, 0], amount(), amount()], mode);
    },
  };
});

/** Options of {@link pad}. */
export interface PadOptions {
  /**
   * `constant` (default), `reflect`: mirrors without repeating the edge; padding must be less than the size, `replicate`: repeats
   * the edge, or `circular`: goes on at the other edge, as often as needed.
   */
  readonly mode?: PadMode;
  /** The constant; default 0. */
  readonly value?: number;
}

/** x padded by `[before, after]` elements on each axis. */
export function pad(x: Tensor, padding: Padding, options: PadOptions = {}): Tensor {
  checkOptions('pad', options, ['mode', 'value']);
  const { mode = 'constant', value = 0 } = options;
  return apply(padOp, [x], { padding, mode, value })[0];
}

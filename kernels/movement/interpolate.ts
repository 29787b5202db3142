/** Resizing of images, as PyTorch's `interpolate`. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, checkOptions, nameOf, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { type Choose, type Sample, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { type Pair, pairOf } from '../pairs.ts';
import {
  type AxisResize,
  type InterpolationMode,
  interpolateAxisOp,
  interpolateAxisReference,
  isIdentity,
} from './interpolate-axis.ts';

/** Options of {@link interpolate}. */
export interface InterpolateOptions {
  /** Height and width of the result: one number, or [height, width]. Either this or `scaleFactor`. */
  readonly size?: number | Pair;
  /** Factors of height and width, whose products are rounded down: one number, or [rows, columns]. */
  readonly scaleFactor?: number | Pair;
  /** Default `nearest`. */
  readonly mode?: InterpolationMode;
  /**
   * Whether the centres of the corner pixels stay where they are; else the borders of the image do. Not for `nearest`. Default
   * false.
   */
  readonly alignCorners?: boolean;
}

const NAME = 'interpolate';
const MODES: readonly string[] = ['nearest', 'bilinear', 'bicubic'];

function checkFactors(value: number | Pair): Pair {
  const factors = typeof value === 'number' ? [value, value] : value;
  const valid =
    Array.isArray(factors) && factors.length === 2 && factors.every(one => Number.isFinite(one) && (one as number) > 0);
  if (!valid) throw new ShapeError(NAME, `expected scaleFactor as a positive number or two, got ${quoted(value)}.`);
  return factors as unknown as Pair;
}

/** How rows and columns are resized. */
function axesOf(shape: Shape, options: InterpolateOptions): AxisResize[] {
  const { size, scaleFactor, mode = 'nearest', alignCorners = false } = options;
  if (shape.length !== 4) throw new ShapeError(NAME, `expected x of [N, C, H, W], got ${formatShape(shape)}.`);
  if (!MODES.includes(mode))
    throw new ArgumentError(NAME, `expected mode "nearest", "bilinear" or "bicubic", got ${quoted(mode)}.`);
  if (typeof alignCorners !== 'boolean')
    throw new ArgumentError(NAME, `expected alignCorners to be true or false, got ${nameOf(alignCorners)}.`);
  if (alignCorners && mode === 'nearest')
    throw new ArgumentError(NAME, 'alignCorners has no meaning for mode "nearest".');
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ArgumentError(
      NAME,
      `expected either size or scaleFactor, got ${size === undefined ? 'neither' : 'both'}.`,
    );
  const factors = scaleFactor === undefined ? undefined : checkFactors(scaleFactor);
  const sizes = size === undefined ? undefined : pairOf(NAME, 'size', size, 1);
  return ([0, 1] as const).map(i => {
    const axis = i + 2;
    const target = sizes ? sizes[i] : Math.floor(shape[axis] * factors![i]);
    if (target < 1) throw new ShapeError(NAME, `${formatShape(shape)} times ${factors?.join(' and ')} has no pixels.`);
    return { axis, size: shape[axis], target, ...(factors && { scale: 1 / factors[i] }), mode, alignCorners };
  });
}

/** One axis after the other, so that little is in between. */
const ordered = ([rows, columns]: readonly AxisResize[]): readonly AxisResize[] =>
  rows.target * columns.size <= rows.size * columns.target ? [rows, columns] : [columns, rows];

/**
 * PyTorch 1.13's interpolate of [N, C, H, W] (`recompute_scale_factor` false, without antialiasing): to `size`, or by
 * `scaleFactor`, which then also places the pixels. `bicubic` is the cubic convolution with a = −0.75. Throws ShapeError and
 * ArgumentError.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  checkOptions(NAME, options, ['size', 'scaleFactor', 'mode', 'alignCorners']);
  requireTensors(NAME, x);
  const axes = ordered(axesOf(x.shape, options)).filter(axis => !isIdentity(axis));
  if (axes.length === 0) return x.alias();
  return tidy(() => axes.reduce((y, axis) => apply(interpolateAxisOp, [y], { ...axis })[0], x));
}

type InterpolateAttributes = InterpolateOptions & Readonly<Record<string, unknown>>;

const sampleOf = (shape: Shape, options: InterpolateOptions): Sample<InterpolateAttributes> => ({
  inputs: [{ shape }],
  attributes: options as InterpolateAttributes,
});

/* @__PURE__ */ specifyFunction<InterpolateAttributes>(() => ({
  name: NAME,
  summary: 'Resizes images: nearest neighbour, bilinear, or bicubic.',
  call: ([x], options) => [interpolate(x, options)],
  reference([x], [shape], options) {
    let [y, size]: [ArrayLike<number>, Shape] = [x, shape];
    for (const axis of axesOf(shape, options)) {
      y = interpolateAxisReference(y, size, axis);
      size = size.map((own, i) => (i === axis.axis ? axis.target : own));
    }
    return [Float64Array.from(y)];
  },
  samples: [
    sampleOf([2, 3, 4, 5], { scaleFactor: 2 }),
    sampleOf([1, 2, 5, 4], { size: [3, 9], mode: 'bilinear' }),
    sampleOf([1, 2, 5, 4], { scaleFactor: [1.7, 0.6], mode: 'bicubic' }),
  ],
  random(choose: Choose) {
    const mode = choose.pick(['nearest', 'bilinear', 'bicubic'] as const);
    const alignCorners = mode !== 'nearest' && choose.pick([true, false]);
    const shape = [choose.integer(1, 2), choose.integer(1, 3), choose.pick([1, 4, 7]), choose.pick([2, 5, 9])];
    const target = choose.pick([
      { scaleFactor: choose.pick([1, 2, 2.5, 4]) },
      { size: [choose.pick([1, 4, 13]), choose.pick([1, 3, 11])] as const },
    ]);
    return sampleOf(shape, { ...target, mode, alignCorners });
  },
}));

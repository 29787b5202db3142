/** Movement: every element of the result is one element of the input, found by strides. Bits are copied unchanged. */
import { apply } from '../../engine/apply.ts';
import { ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, like, mergeAxes, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements, coordinates } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { mapIndices, words } from '../references.ts';

type PermuteAttributes = { readonly axes: readonly number[] };

/** Bindings of kernels that copy elements of any type: `x` and `result`. */
export const WORDS = { reads: ['x: array<u32>'], writes: ['result: array<u32>'] } as const;

/** A kernel that reads `x[offset + Σ index·stride]` for every index of `shape`. */
export function lowerStrided(
  name: string,
  shape: Shape,
  strides: Shape,
  offset: number,
  baked: boolean,
  traits: AdapterTraits,
): Lowering {
  const merged = mergeAxes(shape, [strides]);
  const sizes = merged.shape.length > 0 ? merged.shape : [1];
  const steps = merged.strides[0].length > 0 ? merged.strides[0] : [0];
  const named: Record<string, number> = { n: sizeOf(shape), offset };
  sizes.forEach((size, axis) => {
    if (axis > 0) named[`d${axis}`] = size;
    named[`s${axis}`] = steps[axis];
  });
  const numbers = new Numbers(baked, named);
  const terms = sizes.map((_, axis) => `a${axis} * s${axis}`);
  const position = coordinates(
    'index',
    sizes.map((_, axis) => axis),
  ).join('\n    ');
  const body = `${position}
    result[index] = x[offset + ${terms.join(' + ')}];`;
  const kernel = assembleElements({ name, ...WORDS, numbers, elements: sizeOf(shape), count: 'n', body }, traits);
  return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
}

const inverse = (axes: readonly number[]): number[] => {
  const result = new Array<number>(axes.length);
  axes.forEach((axis, i) => {
    result[axis] = i;
  });
  return result;
};

export const permuteOp: Declaration<PermuteAttributes> = /* @__PURE__ */ defineOp<PermuteAttributes>({
  name: 'permute',
  takes: ['any'],
  infer([x], { axes }) {
    const { shape } = x;
    const valid = axes.length === shape.length && [...axes].sort((a, b) => a - b).every((axis, i) => axis === i);
    if (!valid)
      throw new ShapeError(
        'permute',
        `expected a permutation of the axes of ${formatShape(shape)}, got [${axes.join(', ')}].`,
      );
    return [
      like(
        x,
        axes.map(axis => shape[axis]),
      ),
    ];
  },
  lower({ inputs, outputs, attributes: { axes }, baked }, traits) {
    const strides = stridesOf(inputs[0].shape);
    return lowerStrided(
      'permute',
      outputs[0].shape,
      axes.map(axis => strides[axis]),
      0,
      baked,
      traits,
    );
  },
  gradient: ({ grads, attributes: { axes } }) => [permute(grads[0]!, inverse(axes))],
});

/* @__PURE__ */ specify(permuteOp, () => ({
  summary: 'Reorders the axes.',
  reference([x], [shape], { axes }) {
    const strides = stridesOf(shape);
    const moved = axes.map(axis => shape[axis]);
    return [mapIndices(moved, [axes.map(axis => strides[axis])], ([at]) => x[at])];
  },
  samples: [
    { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { axes: [0, 2, 3, 1] } },
    { inputs: [{ shape: [7] }], attributes: { axes: [0] } },
    { inputs: [words([3, 4, 5])], attributes: { axes: [2, 0, 1] } },
  ],
  random(choose) {
    const rank = choose.integer(1, 4);
    const left = Array.from({ length: rank }, (_, axis) => axis);
    const axes = Array.from({ length: rank }, () => left.splice(choose.integer(0, left.length - 1), 1)[0]);
    return { inputs: [{ shape: axes.map(() => choose.pick([1, 2, 3, 11, 17])) }], attributes: { axes } };
  },
}));

/** x with its axes in the order `axes` (negative ones from the end). */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const rank = x.shape.length;
  return apply(permuteOp, [x], { axes: axes.map(axis => (axis < 0 ? axis + rank : axis)) })[0];
}

/** x with two axes swapped (default the last two). */
export function transpose(x: Tensor, first = -1, second = -2): Tensor {
  const rank = x.shape.length;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const [a, b] = [first < 0 ? first + rank : first, second < 0 ? second + rank : second];
  if (!(a in axes) || !(b in axes))
    throw new ShapeError('transpose', `axes ${first} and ${second} do not exist in ${formatShape(x.shape)}.`);
  axes[a] = b;
  axes[b] = a;
  return permute(x, axes);
}

function imageShape(operation: string, shape: Shape): [number, number, number, number] {
  if (shape.length !== 4) throw new ShapeError(operation, `expected [N, C, H, W], got ${formatShape(shape)}.`);
  return shape as unknown as [number, number, number, number];
}

const shuffled = (shape: Shape, factor: number, f: (deep: number, wide: number) => void): void => {
  const [n, c, h, w] = shape as unknown as [number, number, number, number];
  for (let image = 0; image < n; image++)
    for (let channel = 0; channel < c; channel++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          const [out, i, j] = [
            Math.floor(channel / factor ** 2),
            Math.floor(channel / factor) % factor,
            channel % factor,
          ];
          const wide = ((image * (c / factor ** 2) + out) * h * factor + y * factor + i) * w * factor + x * factor + j;
          f(((image * c + channel) * h + y) * w + x, wide);
        }
};

type FactorAttributes = { readonly factor: number };

/** A copy between two views with six axes, [N, C, r, r, H, W] in different orders. */
function lowerShuffle(
  name: string,
  split: Shape,
  axes: readonly number[],
  baked: boolean,
  traits: AdapterTraits,
): Lowering {
  const strides = stridesOf(split);
  const shape = axes.map(axis => split[axis]);
  return lowerStrided(
    name,
    shape,
    axes.map(axis => strides[axis]),
    0,
    baked,
    traits,
  );
}

/** A separate operation, so that `compile` can absorb it into a convolution's store. */
export const pixelShuffleOp: Declaration<FactorAttributes> = /* @__PURE__ */ defineOp<FactorAttributes>({
  name: 'pixelShuffle',
  takes: ['any'],
  infer([x], { factor }) {
    const [n, c, h, w] = imageShape('pixelShuffle', x.shape);
    const channels = c / factor ** 2;
    if (!Number.isInteger(factor) || factor < 1 || !Number.isInteger(channels))
      throw new ShapeError('pixelShuffle', `expected a multiple of ${factor}² channels, got ${formatShape(x.shape)}.`);
    return [like(x, [n, channels, h * factor, w * factor])];
  },
  shuffle: ({ factor }) => factor,
  lower({ inputs, attributes: { factor }, baked }, traits) {
    const [n, c, h, w] = imageShape('pixelShuffle', inputs[0].shape);
    const split = [n, c / factor ** 2, factor, factor, h, w];
    return lowerShuffle('pixelShuffle', split, [0, 1, 4, 2, 5, 3], baked, traits);
  },
  gradient: ({ grads, attributes: { factor } }) => [pixelUnshuffle(grads[0]!, factor)],
});

/* @__PURE__ */ specify(pixelShuffleOp, () => ({
  summary: 'Moves channels to pixels: [N, C·r², H, W] to [N, C, H·r, W·r].',
  reference([x], [shape], { factor }) {
    const y = new Float64Array(x.length);
    shuffled(shape, factor, (deep, wide) => {
      y[wide] = x[deep];
    });
    return [y];
  },
  samples: [
    { inputs: [{ shape: [2, 12, 3, 5] }], attributes: { factor: 2 } },
    { inputs: [words([1, 9, 2, 5])], attributes: { factor: 3 } },
  ],
  random(choose) {
    const factor = choose.integer(1, 3);
    const shape = [
      choose.integer(1, 2),
      factor ** 2 * choose.integer(1, 5),
      choose.pick([1, 4, 7]),
      choose.pick([1, 3, 11]),
    ];
    return { inputs: [{ shape }], attributes: { factor } };
  },
}));

export const pixelUnshuffleOp: Declaration<FactorAttributes> = /* @__PURE__ */ defineOp<FactorAttributes>({
  name: 'pixelUnshuffle',
  takes: ['any'],
  infer([x], { factor }) {
    const [n, c, h, w] = imageShape('pixelUnshuffle', x.shape);
    if (!Number.isInteger(factor) || factor < 1 || h % factor !== 0 || w % factor !== 0)
      throw new ShapeError(
        'pixelUnshuffle',
        `expected H and W to be multiples of ${factor}, got ${formatShape(x.shape)}.`,
      );
    return [like(x, [n, c * factor ** 2, h / factor, w / factor])];
  },
  lower({ inputs, attributes: { factor }, baked }, traits) {
    const [n, c, h, w] = imageShape('pixelUnshuffle', inputs[0].shape);
    const split = [n, c, h / factor, factor, w / factor, factor];
    return lowerShuffle('pixelUnshuffle', split, [0, 1, 3, 5, 2, 4], baked, traits);
  },
  gradient: ({ grads, attributes: { factor } }) => [pixelShuffle(grads[0]!, factor)],
});

/* @__PURE__ */ specify(pixelUnshuffleOp, () => ({
  summary: 'Moves pixels to channels: the inverse of pixelShuffle.',
  reference([x], [shape], { factor }) {
    const [n, c, h, w] = imageShape('pixelUnshuffle', shape);
    const y = new Float64Array(x.length);
    shuffled([n, c * factor ** 2, h / factor, w / factor], factor, (deep, wide) => {
      y[deep] = x[wide];
    });
    return [y];
  },
  samples: [
    { inputs: [{ shape: [2, 3, 4, 6] }], attributes: { factor: 2 } },
    { inputs: [words([1, 1, 6, 9])], attributes: { factor: 3 } },
  ],
  random(choose) {
    const factor = choose.integer(1, 3);
    const shape = [
      choose.integer(1, 2),
      choose.integer(1, 5),
      factor * choose.pick([1, 4, 7]),
      factor * choose.pick([1, 3, 11]),
    ];
    return { inputs: [{ shape }], attributes: { factor } };
  },
}));

/** Rearranges [N, C·r², H, W] to [N, C, H·r, W·r] (Shi et al. 2016): out[c, h·r + i, w·r + j] = in[c·r² + i·r + j, h, w]. */
export const pixelShuffle = (x: Tensor, factor: number): Tensor => apply(pixelShuffleOp, [x], { factor })[0];

/** The inverse of {@link pixelShuffle}: [N, C, H·r, W·r] to [N, C·r², H, W]. */
export const pixelUnshuffle = (x: Tensor, factor: number): Tensor => apply(pixelUnshuffleOp, [x], { factor })[0];

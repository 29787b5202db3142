/** Concatenation. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, nameOf, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, like, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { words } from '../references.ts';
import { slice } from './slice.ts';
import { WORDS } from './strided.ts';

type ConcatAttributes = { readonly axis: number };

/** Copies each input to its range of the output, one dispatch per input. */
export const concatOp: Declaration<ConcatAttributes> = /* @__PURE__ */ defineOp<ConcatAttributes>({
  name: 'concat',
  takes: ['any'],
  infer(inputs, { axis }) {
    const [first] = inputs;
    if (!first) throw new ShapeError('concat', 'expected at least one tensor, got none.');
    const fits = inputs.every(
      ({ shape }) =>
        shape.length === first.shape.length && shape.every((size, i) => i === axis || size === first.shape[i]),
    );
    if (!fits || !(axis in first.shape))
      throw new ShapeError(
        'concat',
        `cannot concatenate ${inputs.map(({ shape }) => formatShape(shape)).join(' and ')} along axis ${axis}.`,
      );
    const total = inputs.reduce((sum, { shape }) => sum + shape[axis], 0);
    return [
      like(
        first,
        first.shape.map((size, i) => (i === axis ? total : size)),
      ),
    ];
  },
  lower({ inputs, outputs, attributes: { axis }, baked }, traits) {
    const inner = sizeOf(outputs[0].shape.slice(axis + 1));
    const pitch = outputs[0].shape[axis] * inner;
    let before = 0;
    const steps = inputs.map(({ shape }, i) => {
      const run = shape[axis] * inner;
      const numbers = new Numbers(baked, { n: sizeOf(shape), run, pitch, before });
      before += run;
      const body = 'result[index / run * pitch + before + index % run] = x[index];';
      const parts = { name: 'concat', ...WORDS, numbers, elements: sizeOf(shape), count: 'n', body };
      const kernel = assembleElements(parts, traits);
      return { kernel, operands: [input(i), output(0)] };
    });
    return { steps, scratch: [] };
  },
  gradient({ inputs, grads, attributes: { axis } }) {
    let from = 0;
    return inputs.map(({ shape }) => {
      const start = shape.map((_, i) => (i === axis ? from : 0));
      from += shape[axis];
      return slice(
        grads[0]!,
        start,
        shape.map((size, i) => (i === axis ? from : size)),
      );
    });
  },
});

/* @__PURE__ */ specify(concatOp, () => ({
  summary: 'Concatenates tensors along an axis.',
  reference(inputs, shapes, { axis }) {
    const inner = sizeOf(shapes[0].slice(axis + 1));
    const outer = sizeOf(shapes[0].slice(0, axis));
    const parts: number[] = [];
    for (let o = 0; o < outer; o++)
      inputs.forEach((x, i) => {
        const run = shapes[i][axis] * inner;
        parts.push(...x.subarray(o * run, (o + 1) * run));
      });
    return [Float64Array.from(parts)];
  },
  samples: [
    { inputs: [{ shape: [2, 3, 4, 5] }, { shape: [2, 2, 4, 5] }], attributes: { axis: 1 } },
    { inputs: [words([2, 3]), words([2, 1]), words([2, 4])], attributes: { axis: 1 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 2, 5, 9]));
    const axis = choose.integer(0, shape.length - 1);
    const part = () => ({ shape: shape.map((size, i) => (i === axis ? choose.integer(1, 4) : size)) });
    return { inputs: Array.from({ length: choose.integer(1, 3) }, part), attributes: { axis } };
  },
}));

/** Concatenates tensors along `axis` (negative from the end). */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError('concat', `expected an array of at least one tensor, got ${nameOf(tensors)}.`);
  requireTensors('concat', ...tensors);
  return apply(concatOp, tensors, { axis: axis < 0 ? axis + tensors[0].shape.length : axis })[0];
}

/** Tensors from nothing but numbers. A kernel makes them: in a compiled function they are part of the program, without an upload. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, checkOptions, nameOf, quoted } from '../../engine/basics/errors.ts';
import { checkShape, f32, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import { currentDevice, type Tensor, type TensorOptions } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { type NumberText, single } from '../../engine/text/expression.ts';
import { type AdapterTraits, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { oddShape } from '../references.ts';

/** Applies an operation without inputs. */
export function create<A extends Readonly<Record<string, unknown>>>(
  operation: Declaration<A>,
  attributes: A,
  options: TensorOptions,
): Tensor {
  checkOptions(operation.name, options, ['device', 'requiresGrad']);
  const [made] = apply(operation, [], attributes, options.device ?? currentDevice());
  made.value.requiresGrad = options.requiresGrad ?? false;
  return made;
}

function requireNumbers(operation: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers))
    if (typeof value !== 'number')
      throw new ArgumentError(operation, `expected ${name} to be a number, got ${nameOf(value)}.`);
}

function requireCounts(operation: string, counts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(counts))
    if (!Number.isInteger(value) || Number(value) < 1)
      throw new ArgumentError(operation, `expected ${name} to be a positive integer, got ${quoted(value)}.`);
}

type FullAttributes = { readonly shape: Shape; readonly value: number };

const fullElementwise = {
  expression: (_: readonly string[], { value }: FullAttributes, number: NumberText) => number(value),
  constant: true,
};

export const fullOp: Declaration<FullAttributes> = /* @__PURE__ */ defineOp<FullAttributes>({
  name: 'full',
  infer: (_, { shape }) => [f32(shape)],
  lower: ({ outputs, attributes, baked }, traits) =>
    lowerElementwise(
      {
        name: 'full',
        expression: single(fullElementwise as never, attributes, 0),
        inputs: [],
        output: outputs[0],
        baked,
      },
      traits,
    ),
  elementwise: fullElementwise,
});

/* @__PURE__ */ specify(fullOp, () => ({
  summary: 'A tensor filled with a number.',
  reference: (_, __, { shape, value }) => [new Float64Array(sizeOf(shape)).fill(Math.fround(value))],
  samples: [
    { inputs: [], attributes: { shape: [2, 3], value: 0.1 } },
    { inputs: [], attributes: { shape: [], value: Number.NEGATIVE_INFINITY } },
  ],
  random: choose => ({ inputs: [], attributes: { shape: oddShape(choose), value: choose.integer(-3, 3) } }),
}));

/** A tensor of `shape`, filled with `value`. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  checkShape('full', shape);
  requireNumbers('full', { value });
  return create(fullOp, { shape, value }, options);
}

/** A tensor of zeros. */
export const zeros = (shape: Shape, options: TensorOptions = {}): Tensor => full(shape, 0, options);

/** A tensor of ones. */
export const ones = (shape: Shape, options: TensorOptions = {}): Tensor => full(shape, 1, options);

/** A kernel of an expression of `index`. */
function lowerIndexed(
  name: string,
  elements: number,
  numbers: Numbers,
  expression: string,
  traits: AdapterTraits,
): Lowering {
  const body = `result[index] = ${expression};`;
  const kernel = assembleElements({ name, reads: [], numbers, elements, count: 'n', body }, traits);
  return { steps: [{ kernel, operands: [output(0)] }], scratch: [] };
}

type ArangeAttributes = { readonly start: number; readonly step: number; readonly count: number };

export const arangeOp: Declaration<ArangeAttributes> = /* @__PURE__ */ defineOp<ArangeAttributes>({
  name: 'arange',
  infer: (_, { count }) => [f32([count])],
  lower({ attributes: { start, step, count }, baked }, traits) {
    const numbers = new Numbers(baked, { n: count });
    return lowerIndexed(
      'arange',
      count,
      numbers,
      `${numbers.float(start)} + f32(index) * ${numbers.float(step)}`,
      traits,
    );
  },
});

/* @__PURE__ */ specify(arangeOp, () => ({
  summary: 'Numbers from a start in steps.',
  reference: (_, __, { start, step, count }) => [
    Float64Array.from({ length: count }, (_, i) => Math.fround(start) + i * Math.fround(step)),
  ],
  samples: [{ inputs: [], attributes: { start: -3, step: 0.25, count: 70 } }],
  random: choose => ({
    inputs: [],
    attributes: { start: choose.integer(-5, 5), step: choose.pick([1, -1, 2, 0.1]), count: choose.pick([1, 3, 65]) },
  }),
}));

/**
 * start, start + step, … to before `end`; default from 0 in steps of 1. Whole numbers are exact up to 2²⁴. Throws ArgumentError if
 * there is no number before `end`, or if `step` is 0. PyTorch's `arange`.
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step?: number, options?: TensorOptions): Tensor;
export function arange(
  first: number,
  second: number | TensorOptions = {},
  step = 1,
  options: TensorOptions = {},
): Tensor {
  const [start, end, more] = typeof second === 'object' ? [0, first, second] : [first, second, options];
  requireNumbers('arange', { start, end, step });
  const count = Math.ceil((end - start) / step);
  if (!Number.isFinite(count) || count < 1)
    throw new ArgumentError('arange', `expected at least one number from ${start} to ${end} in steps of ${step}.`);
  return create(arangeOp, { start, step, count }, more);
}

type LinspaceAttributes = { readonly start: number; readonly end: number; readonly count: number };

export const linspaceOp: Declaration<LinspaceAttributes> = /* @__PURE__ */ defineOp<LinspaceAttributes>({
  name: 'linspace',
  infer: (_, { count }) => [f32([count])],
  lower({ attributes: { start, end, count }, baked }, traits) {
    const numbers = new Numbers(baked, { n: count });
    const [first, last] = [numbers.float(start), numbers.float(end)];
    const step = numbers.float((end - start) / Math.max(count - 1, 1));
    // From both ends, so that both are exact.
    const expression = `select(${last} - f32(n - 1 - index) * ${step}, ${first} + f32(index) * ${step}, index < max(n / 2, 1))`;
    return lowerIndexed('linspace', count, numbers, expression, traits);
  },
});

/* @__PURE__ */ specify(linspaceOp, () => ({
  summary: 'Evenly spaced numbers, both ends included.',
  reference: (_, __, { start, end, count }) => [
    Float64Array.from({ length: count }, (_, i) => start + (i * (end - start)) / Math.max(count - 1, 1)),
  ],
  samples: [
    { inputs: [], attributes: { start: -1, end: 2, count: 71 } },
    { inputs: [], attributes: { start: 5, end: 7, count: 1 } },
  ],
  random: choose => ({
    inputs: [],
    attributes: { start: choose.integer(-5, 5), end: choose.integer(-5, 5), count: choose.pick([1, 2, 3, 65]) },
  }),
}));

/** `count` evenly spaced numbers from `start` to `end`, both included; one is `start`. PyTorch's `linspace`. */
export function linspace(start: number, end: number, count: number, options: TensorOptions = {}): Tensor {
  requireNumbers('linspace', { start, end });
  requireCounts('linspace', { count });
  return create(linspaceOp, { start, end, count }, options);
}

type EyeAttributes = { readonly rows: number; readonly columns: number };

export const eyeOp: Declaration<EyeAttributes> = /* @__PURE__ */ defineOp<EyeAttributes>({
  name: 'eye',
  infer: (_, { rows, columns }) => [f32([rows, columns])],
  lower({ attributes: { rows, columns }, baked }, traits) {
    const numbers = new Numbers(baked, { n: rows * columns, columns });
    const expression = 'select(0.0, 1.0, index / columns == index % columns)';
    return lowerIndexed('eye', rows * columns, numbers, expression, traits);
  },
});

/* @__PURE__ */ specify(eyeOp, () => ({
  summary: 'A matrix of zeros with ones on its diagonal.',
  reference: (_, __, { rows, columns }) => [
    Float64Array.from({ length: rows * columns }, (_, i) => Number(Math.floor(i / columns) === i % columns)),
  ],
  samples: [{ inputs: [], attributes: { rows: 3, columns: 5 } }],
  random: choose => ({ inputs: [], attributes: { rows: choose.integer(1, 9), columns: choose.integer(1, 9) } }),
}));

/** A matrix of zeros with ones on its diagonal: square, or with another number of `columns`. PyTorch's `eye`. */
export function eye(rows: number, columns = rows, options: TensorOptions = {}): Tensor {
  requireCounts('eye', { rows, columns });
  return create(eyeOp, { rows, columns }, options);
}

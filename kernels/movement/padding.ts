/** Shared by padding and its gradients: checks, sizes and the loop over padded elements. */
import { ArgumentError, DTypeError, nameOf, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, isInteger, type Shape, sizeOf, stridesOf, type TensorSpec } from '../../engine/basics/shape.ts';
import { assembleElements, coordinates, type KernelParts } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { WORDS } from './strided.ts';

/** Elements before and after each axis. */
export type Padding = readonly (readonly [number, number])[];
/** What {@link pad} puts beyond the edges. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';
export type PadAttributes = {
  readonly padding: Padding;
  readonly mode: PadMode;
  readonly value: number;
};

/** One invocation per output element; `body` computes `value` from coordinates `a0…` and the sizes and numbers. */
export function lowerCoordinates(
  name: string,
  shape: Shape,
  sizes: Readonly<Record<string, number>>,
  body: (numbers: Numbers) => string,
  baked: boolean,
  traits: AdapterTraits,
  bindings: Pick<KernelParts, 'reads' | 'writes'> = WORDS,
): Lowering {
  const named: Record<string, number> = { n: sizeOf(shape), ...sizes };
  shape.forEach((size, axis) => {
    named[`d${axis}`] = size;
  });
  const numbers = new Numbers(baked, named);
  const position = coordinates(
    'index',
    shape.map((_, axis) => axis),
  ).join('\n    ');
  const element = `${position}
    ${body(numbers)}
    result[index] = value;`;
  const parts = { name, ...bindings, numbers, elements: sizeOf(shape), count: 'n', body: element };
  return { steps: [{ kernel: assembleElements(parts, traits), operands: [input(0), output(0)] }], scratch: [] };
}

/** Named sizes of every axis: the source's size `h`, its stride `s` and the padding before it `p`. */
export function padSizes(source: Shape, padding: Padding): Record<string, number> {
  const strides = stridesOf(source);
  return Object.fromEntries(
    source.flatMap((size, axis) => [
      [`h${axis}`, size],
      [`s${axis}`, strides[axis]],
      [`p${axis}`, padding[axis][0]],
    ]),
  );
}

/** Throws if `x` cannot be padded like this. */
export function checkPadding(
  operation: string,
  { shape, dtype }: TensorSpec,
  { padding, mode, value }: PadAttributes,
): void {
  if (mode !== 'constant' && !Object.hasOwn(copied, mode))
    throw new ArgumentError(
      operation,
      `expected mode "constant", "reflect", "replicate" or "circular", got ${quoted(mode)}.`,
    );
  if (typeof value !== 'number')
    throw new ArgumentError(operation, `expected value to be a number, got ${nameOf(value)}.`);
  if (!Array.isArray(padding) || !padding.every(pair => Array.isArray(pair) && pair.length === 2))
    throw new ShapeError(operation, `expected padding as [before, after] for each axis, got ${quoted(padding)}.`);
  const whole =
    padding.length === shape.length && padding.flat().every(amount => Number.isInteger(amount) && amount >= 0);
  const text = padding.map(([before, after]) => `[${before}, ${after}]`).join(', ');
  if (!whole)
    throw new ShapeError(
      operation,
      `expected padding as [before, after] for each axis of ${formatShape(shape)}, got [${text}].`,
    );
  if (mode === 'reflect' && padding.some(([before, after], axis) => Math.max(before, after) >= shape[axis]))
    throw new ShapeError(operation, `cannot reflect by [${text}]: padding must be smaller than ${formatShape(shape)}.`);
  if (dtype === 'bool' && value !== 0 && value !== 1)
    throw new DTypeError(operation, `expected 0 or 1 to pad bool, got ${value}.`);
  if (isInteger(dtype) && (dtype === 'u32' ? value >>> 0 : value | 0) !== value)
    throw new DTypeError(operation, `expected a number in the range of ${dtype} to pad it, got ${value}.`);
}

/** The shape after padding. */
export const paddedShape = (shape: Shape, padding: Padding): number[] =>
  shape.map((size, axis) => size + padding[axis][0] + padding[axis][1]);

/** The index inside that an index outside copies, by the mode. */
export const copied: Readonly<Record<Exclude<PadMode, 'constant'>, (at: number, size: number) => number>> = {
  reflect(at, size) {
    const folded = Math.abs(at);
    return folded < size ? folded : 2 * (size - 1) - folded;
  },
  replicate: (at, size) => Math.min(size - 1, Math.max(0, at)),
  circular: (at, size) => ((at % size) + size) % size,
};

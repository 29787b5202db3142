/** What padding and its gradients share: checks, sizes and the walk over the padded elements. */
import { ArgumentError, DTypeError, nameOf, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sizeOf, stridesOf, type TensorSpec } from '../../engine/basics/shape.ts';
import { assembleElements, coordinates, type KernelParts } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { WORDS } from './strided.ts';

export type Padding = readonly (readonly [number, number])[];
export type PadAttributes = {
  readonly padding: Padding;
  readonly mode: 'constant' | 'reflect';
  readonly value: number;
};

/** One invocation an output element; `body` computes `value` from coordinates `a0…` and the sizes and numbers. */
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

/** Names for the source's sizes `h`, strides `s` and the padding before `p` of every axis. */
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

/** Throws where `x` cannot be padded so. */
export function checkPadding(
  operation: string,
  { shape, dtype }: TensorSpec,
  { padding, mode, value }: PadAttributes,
): void {
  if (mode !== 'constant' && mode !== 'reflect')
    throw new ArgumentError(operation, `mode is "constant" or "reflect", got ${quoted(mode)}.`);
  if (typeof value !== 'number') throw new ArgumentError(operation, `value is a number, got ${nameOf(value)}.`);
  if (!Array.isArray(padding) || !padding.every(pair => Array.isArray(pair) && pair.length === 2))
    throw new ShapeError(operation, `padding is [before, after] for each axis, got ${quoted(padding)}.`);
  const whole =
    padding.length === shape.length && padding.flat().every(amount => Number.isInteger(amount) && amount >= 0);
  const text = padding.map(([before, after]) => `[${before}, ${after}]`).join(', ');
  if (!whole)
    throw new ShapeError(
      operation,
      `padding [${text}] does not fit ${formatShape(shape)}: [before, after] for each axis.`,
    );
  if (mode === 'reflect' && padding.some(([before, after], axis) => Math.max(before, after) >= shape[axis]))
    throw new ShapeError(operation, `reflection by [${text}] needs more than ${formatShape(shape)} has.`);
  if (dtype === 'u32' && value >>> 0 !== value)
    throw new DTypeError(operation, `pads u32 with whole numbers below 2³², got ${value}.`);
}

/** Sizes with the padding. */
export const paddedShape = (shape: Shape, padding: Padding): number[] =>
  shape.map((size, axis) => size + padding[axis][0] + padding[axis][1]);

/** The place whose content a place outside mirrors. */
export const reflected = (at: number, size: number): number => {
  const folded = Math.abs(at);
  return folded < size ? folded : 2 * (size - 1) - folded;
};

/** Run-time checks of argument types, for callers without TypeScript. */
import { ArgumentError, nameOf } from './basics/errors.ts';
import { checkTypes } from './graph/element-types.ts';
import { Tensor } from './tensor.ts';

/** Throws ArgumentError unless every value is a tensor. */
export function requireTensors(operation: string, ...values: readonly unknown[]): void {
  values.forEach((value, i) => {
    if (!(value instanceof Tensor))
      throw new ArgumentError(operation, `expected input ${i} to be a tensor, got ${nameOf(value)}.`);
  });
}

/**
 * Throws ArgumentError unless every value is a tensor, and DTypeError unless it holds floating-point numbers (or conditions). For
 * functions whose arithmetic would wrap around or change its type with whole numbers.
 */
export function requireFloats(operation: string, ...values: readonly Tensor[]): void {
  requireTensors(operation, ...values);
  checkTypes(
    { name: operation },
    values.map(({ value }) => value.spec),
  );
}

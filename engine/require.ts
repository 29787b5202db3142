/** Run-time checks of argument types, for callers without TypeScript. */
import { ArgumentError, nameOf } from './basics/errors.ts';
import { Tensor } from './tensor.ts';

/** Throws ArgumentError unless every value is a tensor. */
export function requireTensors(operation: string, ...values: readonly unknown[]): void {
  values.forEach((value, i) => {
    if (!(value instanceof Tensor))
      throw new ArgumentError(operation, `expected input ${i} to be a tensor, got ${nameOf(value)}.`);
  });
}

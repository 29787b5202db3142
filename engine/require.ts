/** Arguments that types promise and JavaScript does not check. */
import { ArgumentError, nameOf } from './basics/errors.ts';
import { Tensor } from './tensor.ts';

/** Throws ArgumentError unless every one of these is a tensor. */
export function requireTensors(operation: string, ...values: readonly unknown[]): void {
  values.forEach((value, i) => {
    if (!(value instanceof Tensor)) throw new ArgumentError(operation, `input ${i} is ${nameOf(value)}, not a tensor.`);
  });
}

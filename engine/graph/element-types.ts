/** Checks the element types of an operation's inputs. */
import { DTypeError } from '../basics/errors.ts';
import type { DType, TensorSpec } from '../basics/shape.ts';
import type { Operation } from './operation.ts';

const FLOATS: NonNullable<Operation['takes']> = ['f32'];

/** Throws DTypeError if an input has a type that the operation does not support. */
export function checkTypes({ name, takes = FLOATS }: Pick<Operation, 'name' | 'takes'>, inputs: readonly TensorSpec[]) {
  let common: DType | undefined;
  inputs.forEach(({ dtype }, i) => {
    const taken = takes[Math.min(i, takes.length - 1)];
    if (taken === 'any') {
      common ??= dtype;
      if (dtype !== common) throw new DTypeError(name, `expected tensors of one type, got ${common} and ${dtype}.`);
    } else if (dtype !== taken) throw new DTypeError(name, `expected ${taken} for input ${i}, got ${dtype}.`);
  });
}

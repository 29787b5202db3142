/** Element types: what operations take, and what they are refused. */
import { DTypeError } from '../basics/errors.ts';
import type { DType, TensorSpec } from '../basics/shape.ts';
import type { Operation } from './operation.ts';

const FLOATS: NonNullable<Operation['takes']> = ['f32'];

/** Throws DTypeError where an input is of a type that the operation does not take. */
export function checkTypes({ name, takes = FLOATS }: Pick<Operation, 'name' | 'takes'>, inputs: readonly TensorSpec[]) {
  let common: DType | undefined;
  inputs.forEach(({ dtype }, i) => {
    const taken = takes[Math.min(i, takes.length - 1)];
    if (taken === 'any') {
      common ??= dtype;
      if (dtype !== common) throw new DTypeError(name, `takes tensors of one type, got ${common} and ${dtype}.`);
    } else if (dtype !== taken) throw new DTypeError(name, `takes ${taken} for input ${i}, got ${dtype}.`);
  });
}

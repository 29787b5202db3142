/** Checks the element types of an operation's inputs. */
import { DTypeError } from '../basics/errors.ts';
import { type DType, type IntegerType, isInteger, type TensorSpec } from '../basics/shape.ts';
import type { Operation } from './operation.ts';

const FLOATS: NonNullable<Operation['takes']> = ['f32'];

/** Throws DTypeError if an input has a type that the operation does not support. */
export function checkTypes({ name, takes = FLOATS }: Pick<Operation, 'name' | 'takes'>, inputs: readonly TensorSpec[]) {
  let common: DType | undefined;
  inputs.forEach(({ dtype }, i) => {
    const taken = takes[Math.min(i, takes.length - 1)];
    // A bool is an f32 that is 0 or 1.
    const given = dtype === 'bool' ? 'f32' : dtype;
    if (taken === 'any') {
      common ??= given;
      if (given !== common) throw new DTypeError(name, `expected tensors of one type, got ${common} and ${dtype}.`);
    } else if (given !== taken) {
      const hint = taken === 'f32' && isInteger(dtype) ? " Use cast(x, 'f32')." : '';
      throw new DTypeError(name, `expected ${taken} for input ${i}, got ${dtype}.${hint}`);
    }
  });
}

/** The type of the whole numbers among an operation's inputs, if there are any. */
export const integersAmong = (inputs: readonly TensorSpec[]): IntegerType | undefined =>
  inputs.map(({ dtype }) => dtype).find(isInteger);

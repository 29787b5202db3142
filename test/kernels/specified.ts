/** Every operation, and every function made of them that has a definition of its own. */
import '../../kernels/index.ts';
import '../../nn/index.ts';
import '../../train/index.ts';
import { type Specified, specifications } from '../../engine/specify.ts';

export const specified: readonly Specified[] = specifications();

/** For `test.each` and `describe.each`. */
export const byName = (some: readonly Specified[] = specified): (readonly [string, Specified])[] =>
  some.map(one => [one.name, one]);

/** The one of this name. */
export function specifiedBy(name: string): Specified {
  const found = specified.find(one => one.name === name);
  if (!found) throw new Error(`Nothing is specified by the name ${name}.`);
  return found;
}

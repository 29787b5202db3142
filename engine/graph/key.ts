/** Cache keys for applications of operations. */
import { identityOf } from '../basics/identity.ts';
import type { Attributes } from './operation.ts';

/** A key that is equal only for the same operation with the same attributes. */
export const keyOf = (operation: object, attributes: Attributes): string =>
  `${identityOf(operation)}${textOf(attributes)}`;

/** Unlike JSON, it distinguishes NaN, the infinities, -0 and undefined from everything else. */
function textOf(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
    const prototype = Object.getPrototypeOf(value);
    const isRecord = prototype === Object.prototype || prototype === null;
    // Other objects have unknown state: each is equal only to itself.
    if (!isRecord) return `#${identityOf(value)}`;
    return `{${Object.entries(value)
      .map(([name, part]) => `${JSON.stringify(name)}:${textOf(part)}`)
      .join()}}`;
  }
  return String(value);
}

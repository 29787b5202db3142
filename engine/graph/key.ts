/** What tells one application of an operation from another: the names under which caches know them. */
import { identityOf } from '../basics/identity.ts';
import type { Attributes } from './operation.ts';

/** A text for this operation with these attributes: the same text only where both are the same. */
export const keyOf = (operation: object, attributes: Attributes): string =>
  `${identityOf(operation)}${textOf(attributes)}`;

/** Unlike JSON, it tells NaN, the infinities, -0 and undefined apart from all else. */
function textOf(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
    const prototype = Object.getPrototypeOf(value);
    const isRecord = prototype === Object.prototype || prototype === null;
    // Of what else it may consist is not known: each is only the same as itself.
    if (!isRecord) return `#${identityOf(value)}`;
    return `{${Object.entries(value)
      .map(([name, part]) => `${JSON.stringify(name)}:${textOf(part)}`)
      .join()}}`;
  }
  return String(value);
}

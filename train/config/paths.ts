/** Options by dotted paths: `lr.schedule`, and {"lr": {"schedule": …}} in a file, are `lrSchedule`. */
import { ConfigError } from '../errors.ts';

/** No option lies deeper; files that mean harm do. */
const DEEPEST = 8;

/** "lr.schedule" and "lrSchedule" as "lrSchedule". */
export function optionAt(path: string): string {
  const [first = '', ...rest] = path.split('.');
  return first + rest.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/**
 * The options of a file, whose objects may be nested and whose names may be dotted, by their names.
 * @throws ConfigError where one is said twice, or objects are nested absurdly.
 */
export function flattened(tree: Readonly<Record<string, unknown>>, path: string): Record<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (value: Readonly<Record<string, unknown>>, above: readonly string[]) => {
    if (above.length > DEEPEST) throw new ConfigError(`${path}: objects nested more than ${DEEPEST} deep`);
    for (const [name, inner] of Object.entries(value)) {
      const place = [...above, name];
      if (isObject(inner)) {
        visit(inner, place);
        continue;
      }
      const key = optionAt(place.join('.'));
      if (found.has(key)) throw new ConfigError(`${path}: ${place.join('.')}: says ${key} a second time`);
      found.set(key, inner);
    }
  };
  visit(tree, []);
  return Object.fromEntries(found);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * "lr.schedule=cosine" as ["lrSchedule", "cosine"]. Lists are JSON (`data=["a","b"]`) or a single entry; switches are
 * true or false.
 * @throws ConfigError where there is no `=`.
 */
export function parseOverride(text: string): readonly [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new ConfigError(`--set ${text}: expected OPTION=VALUE, such as lr.schedule=cosine`);
  const value = text.slice(at + 1);
  return [optionAt(text.slice(0, at)), jsonValue(value) ?? value];
}

/** Lists and switches; all else is text, which becomes a number where an option wants one. */
function jsonValue(text: string): unknown {
  if (!/^(\[.*\]|true|false)$/s.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

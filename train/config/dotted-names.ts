/** Dotted names of options: `lr.schedule`, and {"lr": {"schedule": …}} in a file, mean `lrSchedule`. */
import { ConfigError } from '../errors.ts';

/** No option is nested deeper; malicious files may be. */
const MAX_DEPTH = 8;

/** "lr.schedule" and "lrSchedule" as "lrSchedule". */
export function optionAt(path: string): string {
  const [first = '', ...rest] = path.split('.');
  return first + rest.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/**
 * The options of a file by their full names. Objects may be nested and names may be dotted.
 * @param path of the file, for messages.
 * @throws ConfigError if an option is set twice, or objects are nested too deeply.
 */
export function flattened(tree: Readonly<Record<string, unknown>>, path: string): Record<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (value: Readonly<Record<string, unknown>>, above: readonly string[]) => {
    if (above.length > MAX_DEPTH) throw new ConfigError(`${path}: objects nested more than ${MAX_DEPTH} deep`);
    for (const [name, inner] of Object.entries(value)) {
      const names = [...above, name];
      if (isObject(inner)) {
        visit(inner, names);
        continue;
      }
      const key = optionAt(names.join('.'));
      if (found.has(key)) throw new ConfigError(`${path}: ${names.join('.')}: sets ${key} a second time`);
      found.set(key, inner);
    }
  };
  visit(tree, []);
  return Object.fromEntries(found);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * "lr.schedule=cosine" as ["lrSchedule", "cosine"]. A list is JSON (`data=["a","b"]`) or a single entry; a switch is true
 * or false.
 * @throws ConfigError if there is no `=`.
 */
export function parseOverride(text: string): readonly [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new ConfigError(`--set ${text}: expected OPTION=VALUE, such as lr.schedule=cosine`);
  const value = text.slice(at + 1);
  return [optionAt(text.slice(0, at)), jsonValue(value) ?? value];
}

/** Lists and switches. Anything else stays text, and becomes a number if the option is one. */
function jsonValue(text: string): unknown {
  if (!/^(\[.*\]|true|false)$/s.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

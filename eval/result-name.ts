/** Names of results: a template with the picture's name, the scale and the model. */

/** `photo.png` becomes `photo_x4` plus the format's extension. */
export const DEFAULT_NAME = '{name}_{size}';

/** Used if two pictures, such as `photo.png` and `photo.jpg`, would both become `photo_x4`. */
export const DISTINCT_NAME = '{name}.{ext}_{size}';

/**
 * Template fields: the picture's name and extension (without dot), the scale (or requested sides), the same with a
 * prefix (`x4`; see `sizeMark`), and the model.
 */
export interface NameFields {
  readonly name: string;
  readonly ext: string;
  readonly scale: string;
  readonly size: string;
  readonly model: string;
}

const FIELD = /\{([^{}]*)\}/g;
const FIELDS: readonly string[] = ['name', 'ext', 'scale', 'size', 'model'] satisfies readonly (keyof NameFields)[];

/** What is wrong with a template, otherwise undefined. */
export function templateProblem(template: string): string | undefined {
  if (/[\\/\p{Cc}]/u.test(template)) return 'is part of a file’s name: no slashes, no control characters';
  const unknown = [...template.matchAll(FIELD)].map(([, field]) => field).find(field => !FIELDS.includes(field));
  if (unknown !== undefined) return `unknown field {${unknown}}, expected {${FIELDS.join('}, {')}}`;
  if (/[{}]/.test(template.replace(FIELD, ''))) return 'has an unmatched brace';
  if (/^\.|^$/.test(template)) return 'must not be empty or start with a dot';
  return undefined;
}

/** Fills in a template, without the format's extension. */
export function resultName(template: string, fields: NameFields): string {
  return template.replace(FIELD, (_, field: keyof NameFields) => String(fields[field]));
}

/**
 * Matches names (without extension) of results. Undefined if the template adds nothing that distinguishes results from
 * pictures.
 */
export function resultPattern(template: string, general: Omit<NameFields, 'name' | 'ext'>): RegExp | undefined {
  const fixed = resultName(template, { ...general, name: '', ext: '' });
  if (fixed.replaceAll('.', '') === '') return undefined;
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // \0, which no name contains, stands for any picture's name while the rest is escaped.
  const marked = resultName(template, { ...general, name: '\0', ext: '\0' });
  return new RegExp(`^${literal(marked).replaceAll('\0', '.+')}$`, 'su');
}

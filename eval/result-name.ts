/** How results are called: a template in which the picture's name, the enlargement and the model are filled in. */

/** `photo.png` becomes `photo_x4`, and the format's ending after it. */
export const DEFAULT_NAME = '{name}_{size}';

/** The same where two pictures of a folder, `photo.png` and `photo.jpg`, would both become `photo_x4`. */
export const DISTINCT_NAME = '{name}.{ext}_{size}';

/**
 * What a template may name: the picture's name and ending (without its dot), how many times as large the result is (or its
 * stated sides), the same with its mark (`x4`; see `sizeMark`), the model.
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

/** What is wrong with a template, for people; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  if (/[\\/\p{Cc}]/u.test(template)) return 'is part of a file’s name: no slashes, no control characters';
  const unknown = [...template.matchAll(FIELD)].map(([, field]) => field).find(field => !FIELDS.includes(field));
  if (unknown !== undefined) return `knows no {${unknown}}: {${FIELDS.join('}, {')}}`;
  if (/[{}]/.test(template.replace(FIELD, ''))) return 'has a brace without its other half';
  if (/^\.|^$/.test(template)) return 'must not be empty, nor hidden by a dot at its start';
  return undefined;
}

/** The name that a template gives, without the format's ending. */
export function resultName(template: string, fields: NameFields): string {
  return template.replace(FIELD, (_, field: keyof NameFields) => String(fields[field]));
}

/**
 * Tells names (without ending) of results from others; undefined where a template adds nothing to the picture's name by
 * which its results could be told.
 */
export function resultPattern(template: string, general: Omit<NameFields, 'name' | 'ext'>): RegExp | undefined {
  const fixed = resultName(template, { ...general, name: '', ext: '' });
  if (fixed.replaceAll('.', '') === '') return undefined;
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // Whatever the picture is called: a mark that no name holds stands for it while the rest is made literal.
  const marked = resultName(template, { ...general, name: '\0', ext: '\0' });
  return new RegExp(`^${literal(marked).replaceAll('\0', '.+')}$`, 'su');
}

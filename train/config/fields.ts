/** Builders for the options of a training run: a schema with its range, and what help and messages say of it. */
import * as z from 'zod';

/** Parts of a training that only some variants have. */
export type Part =
  | 'pixel loss'
  | 'VGG loss'
  | 'discriminator'
  | 'choice of optimizer'
  | 'Adam'
  | 'momentum'
  | 'deep supervision';

/** What applies to an option of any type. */
interface Common {
  /** One line. */
  readonly help: string;
  /** Set if the option only applies to variants that have this part. */
  readonly part?: Part;
  /** Whether it is a field of the network's configuration, and only applies if it is. */
  readonly isField?: boolean;
  /** Whether a resumed run may change it: it affects what is written, not what is learned. */
  readonly mayChange?: boolean;
  /** Whether its values name files or folders. */
  readonly isPath?: boolean;
}

/** What the rest of the program knows of an option beside its schema. */
export interface OptionInfo extends Common {
  /** `recorded` options are written by the run itself and are not on the command line. */
  readonly kind: 'number' | 'text' | 'list' | 'switch' | 'recorded';
  /** Stands for the value in the help; empty for switches. */
  readonly placeholder: string;
  /** Completes "expected …" in error messages. */
  readonly expected: string;
}

const infos = z.registry<OptionInfo>();

/** Registers an option's schema. */
export function option<S extends z.ZodType>(schema: S, info: OptionInfo): S {
  infos.add(schema, info);
  return schema;
}

/** What was registered with a schema. */
export const infoOfSchema = (schema: z.ZodType): OptionInfo => infos.get(schema)!;

interface IntegerSpec extends Common {
  readonly min: number;
  /** Inclusive. Default: no limit but that of exact integers. */
  readonly max?: number;
  readonly multipleOf?: number;
  readonly placeholder?: string;
}

/** An integer. Without a `default` it is optional: its default depends on other options. */
export function integer(spec: IntegerSpec & { readonly default: number }): z.ZodDefault<z.ZodNumber>;
export function integer(spec: IntegerSpec): z.ZodOptional<z.ZodNumber>;
export function integer(spec: IntegerSpec & { readonly default?: number }) {
  const { min, max, multipleOf, placeholder = 'N', default: byDefault, ...common } = spec;
  const schema = z
    .number()
    .int()
    .min(min)
    .max(max ?? Number.MAX_SAFE_INTEGER)
    .multipleOf(multipleOf ?? 1);
  const expected =
    `${multipleOf === undefined ? 'an integer' : `a multiple of ${multipleOf}`} from ${min}` +
    (max === undefined ? '' : ` to ${max}`);
  return option(byDefault === undefined ? schema.optional() : schema.default(byDefault), {
    ...{ kind: 'number', placeholder, expected },
    ...common,
  });
}

/** The range of float32's normal numbers. GPUs flush smaller ones to 0. */
const MIN_FLOAT32 = 2 ** -126;
const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Whether a number is 0 or a normal float32 that is still below the limit after rounding. */
function survivesFloat32(value: number, below: number): boolean {
  if (value === 0) return true;
  return value >= MIN_FLOAT32 && value <= MAX_FLOAT32 && (value >= below || Math.fround(value) < below);
}

interface RealSpec extends Common {
  /** Whether 0 is allowed. */
  readonly zero: boolean;
  /** Exclusive. Default: no limit but that of float32. */
  readonly below?: 1;
}

/** A number above 0, or 0, that float32 can hold. Without a `default` it is optional, as with `integer`. */
export function real(spec: RealSpec & { readonly default: number }): z.ZodDefault<z.ZodNumber>;
export function real(spec: RealSpec): z.ZodOptional<z.ZodNumber>;
export function real(spec: RealSpec & { readonly default?: number }) {
  const { zero, below = Number.POSITIVE_INFINITY, default: byDefault, ...common } = spec;
  const isBounded = Number.isFinite(below);
  const float32 =
    `${zero ? '0 or ' : ''}a number that float32 holds, from 1.18e-38 to ` + (isBounded ? '0.99999994' : '3.4e38');
  const schema = (zero ? z.number().min(0) : z.number().gt(0))
    .lt(below)
    .refine(value => survivesFloat32(value, below), float32);
  const expected = `a number ${zero ? 'from' : 'above'} 0${isBounded ? ` and below ${below}` : ''}`;
  return option(byDefault === undefined ? schema.optional() : schema.default(byDefault), {
    ...{ kind: 'number', placeholder: 'X', expected },
    ...common,
  });
}

/** One of several names; optional. */
export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names, common: Common) {
  return option(z.enum(names).optional(), {
    ...{ kind: 'text', placeholder: 'NAME', expected: names.join(', ') },
    ...common,
  });
}

/** A switch, off by default. */
export function flag(help: string) {
  return option(z.boolean().default(false), { kind: 'switch', placeholder: '', expected: 'true or false', help });
}

/** A file, a folder or a word that takes its place. */
export const location = z.string().min(1);

/** A list; a single text counts as a list of one. */
export function listOf<S extends z.ZodType>(list: S) {
  return z.preprocess(given => (typeof given === 'string' ? [given] : given), list);
}

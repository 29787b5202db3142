/** Numbers as WGSL, bit-exact. */
import type { IntegerType } from '../basics/shape.ts';

/**
 * A number from its bits. WGSL has no literals for infinities and NaN, and drivers may drop the sign of zero and flush
 * subnormals in constants; they must keep values passed to a function at run time.
 */
export const BITS = 'fn daybreakBits(bits: u32) -> f32 { return bitcast<f32>(bits); }';

const SMALLEST_NORMAL = 2 ** -126;

/** The bits of a number as float32. */
export const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];

/** A number, rounded to float32, as an f32 expression. It may call {@link BITS}. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  const size = Math.abs(rounded);
  const isPlain = size >= SMALLEST_NORMAL && size < Number.POSITIVE_INFINITY;
  if (!isPlain) return `daybreakBits(0x${bitsOf(rounded).toString(16).padStart(8, '0')}u)`;
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/** A whole number of a type's range as an expression of that type. */
export const integerLiteral = (value: number, type: IntegerType): string =>
  type === 'u32' ? `${value}u` : `i32(${value})`;

/** Whether WGSL has literals that need the declaration {@link BITS}. */
export const callsBits = (wgsl: string): boolean => wgsl.includes('daybreakBits(0x');

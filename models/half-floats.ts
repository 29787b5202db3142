/** Conversions for the two 16-bit float formats of weights: bits to numbers, and float32 to float16 bits. */

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

/** The number that 16 bits of IEEE 754 binary16 represent. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The number that 16 bits of bfloat16 (the upper half of a float32) represent. */
export function fromBfloat16(upper: number): number {
  bits[0] = upper << 16;
  return single[0];
}

/**
 * The binary16 bits nearest to a float32, ties to even; infinity beyond ±65519.99…, NaN becomes a quiet NaN.
 * Other numbers are first rounded to float32.
 */
export function toFloat16(value: number): number {
  single[0] = value;
  const x = bits[0];
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Rebias the exponent (127 to 15), then drop 13 bits: just under half, plus one if the kept part is odd.
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign;
  // Subnormal: the significand with its hidden bit, shifted to units of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** WGSL that looks at the bits of an f32: drivers may assume that there is no NaN, and fold comparisons with it. */

/** WGSL that is true if x is NaN. By its bits, since drivers may fold a comparison. */
export const isNaNText = (x: string): string => `(bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u`;

/** WGSL that is true if x is not zero: NaN is not, zeros of both signs are. */
export const isNonzeroText = (x: string): string => `(bitcast<u32>(${x}) & 0x7fffffffu) != 0u`;

/** NaN, computed from the bits of x, so that the driver cannot fold it. */
export const quietNaN = (x: string): string => `bitcast<f32>(bitcast<u32>(${x}) | 0x7fc00000u)`;

/**
 * `value`, a function of x, or x itself if x is NaN: WGSL lets drivers assume that there is no NaN, and SwiftShader's exp
 * and log do.
 */
export const keepNaN = (x: string, value: string): string => `select(${value}, ${x}, ${isNaNText(x)})`;

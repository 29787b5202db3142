/**
 * WGSL for functions that some drivers compute inaccurately where gradients depend on them: log near 1 (relative error up
 * to 4e-3), tanh near 0 (no correct digit at 6e-8), sin and cos of anything but small numbers; and for functions that WGSL
 * lacks. Coefficients: Moshier, Cephes mathematical library (logf, tanhf, sinf, cosf, expf); those of erf are ours.
 */

import { isNaNText, quietNaN } from './bits.ts';

/** log(1 + z) for z in [-0.293, 0.415]: z − z²/2 + z³·P(z). */
const SMALL_LOG = `fn daybreakSmallLog(z: f32) -> f32 {
  let s = z * z;
  var p = 7.0376836292e-2;
  p = p * z - 1.1514610310e-1;
  p = p * z + 1.1676998740e-1;
  p = p * z - 1.2420140846e-1;
  p = p * z + 1.4249322787e-1;
  p = p * z - 1.6668057665e-1;
  p = p * z + 2.0000714765e-1;
  p = p * z - 2.4999993993e-1;
  p = p * z + 3.3333331174e-1;
  return z + (z * s * p - 0.5 * s);
}`;

/** Natural logarithm; the driver's far from 1. Subnormals, which drivers handle wrongly, are scaled up first. */
const FULL_LOG = `fn daybreakLog(x: f32) -> f32 {
  let z = x - 1.0;
  let isDenormal = x > 0.0 && x < 1.17549435e-38;
  let far = log(select(x, x * 16777216.0, isDenormal)) - select(0.0, 16.635532, isDenormal);
  return select(far, daybreakSmallLog(z), z >= -0.29 && z <= 0.41);
}`;

export const LOG = [SMALL_LOG, FULL_LOG];

/** log(1 + x), accurate for small x. */
export const LOG1P = [
  SMALL_LOG,
  `fn daybreakLog1p(x: f32) -> f32 { return select(log(1.0 + x), daybreakSmallLog(x), x >= -0.29 && x <= 0.41); }`,
];

/** tanh: an odd polynomial below 0.625, else 1 − 2 / (e^2x + 1). */
export const TANH = `fn daybreakTanh(x: f32) -> f32 {
  let s = x * x;
  var p = -5.70498872745e-3;
  p = p * s + 2.06390887954e-2;
  p = p * s - 5.37397155531e-2;
  p = p * s + 1.33314422036e-1;
  p = p * s - 3.33332819422e-1;
  let a = abs(x);
  // Selection instead of min, which would hide NaN.
  let large = 1.0 - 2.0 / (exp(2.0 * select(a, 20.0, a > 20.0)) + 1.0);
  return select(select(large, -large, x < 0.0), x + x * s * p, a < 0.625);
}`;

/** eˣ − 1: x + x²·P(x) below 0.3466, half of log 2, in size. */
export const EXPM1 = `fn daybreakExpm1(x: f32) -> f32 {
  var p = 1.9875691500e-4;
  p = p * x + 1.3981999507e-3;
  p = p * x + 8.3334519073e-3;
  p = p * x + 4.1665795894e-2;
  p = p * x + 1.6666665459e-1;
  p = p * x + 5.0000001201e-1;
  return select(exp(x) - 1.0, x + x * x * p, abs(x) < 0.3466);
}`;

/**
 * x raised to y, as C defines it: exp(y·log|x|) with the sign that an odd y keeps, NaN for negative x unless y is whole. 1 to
 * any power and anything to the power of 0 are 1, even for NaN. The relative error grows with |y·log x|: 1e-6 up to 8, 1e-5 at
 * the ends of the range.
 */
export const POW = [
  ...LOG,
  `fn daybreakPow(x: f32, y: f32) -> f32 {
  let size = abs(x);
  let isWhole = floor(y) == y;
  // Whole numbers from 2^24 on are even.
  let isOdd = isWhole && abs(y) < 16777216.0 && (i32(y) & 1) == 1;
  let isNegative = (bitcast<u32>(x) >> 31u) == 1u;
  let product = y * daybreakLog(size);
  let power = select(exp(product), 1.0, size == 1.0);
  let signed = select(power, -power, isNegative && isOdd);
  let isLost = ${isNaNText('x')} || ${isNaNText('y')} || (x < 0.0 && !isWhole && size <= 3.4028234e38);
  return select(select(signed, ${quietNaN('x')}, isLost), 1.0, y == 0.0 || x == 1.0);
}`,
];

/**
 * sin and cos of every finite number (NaN for others), with an error of about 1 ulp of 1 near zeros of the result and 2 ulp
 * elsewhere: |x| = m·2^e is multiplied by 96 bits of 2/π, those whose product with m ranges below 4 (Payne and Hanek 1983).
 * The two highest bits of the product are the quadrant, and what follows is the exact place in it.
 */
const REDUCTION = `struct DaybreakAngle { rest: f32, quadrant: u32 }
fn daybreakHigh(a: u32, b: u32) -> u32 {
  let low = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let middle = (a & 0xffffu) * (b >> 16u) + (low & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (low >> 16u) + (middle >> 16u);
}
fn daybreakAngle(x: f32) -> DaybreakAngle {
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  // Nothing to reduce below π/4; from 2^-1 on the first bit of the window is at least the sixth.
  if (bits < 0x3f490fdbu) { return DaybreakAngle(x, 0u); }
  // 2/π after 32 zeros.
  var digits = array<u32, 8>(
    0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu
  );
  let first = min(bits >> 23u, 254u) - 120u;
  let word = first >> 5u;
  let shift = first & 31u;
  // A shift by 32 is none in WGSL: one by 31 and one by 1.
  let w0 = (digits[word] << shift) | ((digits[word + 1u] >> (31u - shift)) >> 1u);
  let w1 = (digits[word + 1u] << shift) | ((digits[word + 2u] >> (31u - shift)) >> 1u);
  let w2 = (digits[word + 2u] << shift) | ((digits[word + 3u] >> (31u - shift)) >> 1u);
  let m = (bits & 0x7fffffu) | 0x800000u;
  let low = m * w1 + daybreakHigh(m, w2);
  let carry = select(0u, 1u, low < m * w1);
  let high = m * w0 + daybreakHigh(m, w1) + carry;
  var fraction = vec2u((high << 2u) | (low >> 30u), (low << 2u) | ((m * w2) >> 30u));
  // To the nearest quadrant: fractions from 1/2 on are counted down from the next.
  let isLate = (fraction.x >> 31u) == 1u;
  let quadrant = (high >> 30u) + select(0u, 1u, isLate);
  if (isLate) { fraction = vec2u(~fraction.x + select(0u, 1u, fraction.y == 0u), ~fraction.y + 1u); }
  let size = (f32(fraction.x) * 2.3283064e-10 + f32(fraction.y) * 5.4210109e-20) * 1.57079633;
  let isNegative = (bitcast<u32>(x) >> 31u) == 1u;
  return DaybreakAngle(select(size, -size, isLate != isNegative), select(quadrant, 0u - quadrant, isNegative));
}
// The sine, some quadrants ahead.
fn daybreakSine(x: f32, turn: u32) -> f32 {
  let angle = daybreakAngle(x);
  let r = angle.rest;
  let s = r * r;
  let sine = r + r * s * ((-1.9515295891e-4 * s + 8.3321608736e-3) * s - 1.6666654611e-1);
  let cosine = 1.0 - 0.5 * s + s * s * ((2.443315711809948e-5 * s - 1.388731625493765e-3) * s + 4.166664568298827e-2);
  let quadrant = angle.quadrant + turn;
  let value = select(sine, cosine, (quadrant & 1u) == 1u);
  let isFinite = (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
  return select(${quietNaN('x')}, select(value, -value, (quadrant & 2u) == 2u), isFinite);
}`;

export const SINE = [REDUCTION];

/**
 * The error function, and its complement without cancellation. erf is an odd polynomial below 1. Elsewhere, with
 * t = 1 / (1 + z/2), erfc z = t·exp(P(t) − z²) (the form of Hastings 1955), where P interpolates log(erfc z / t) + z² at
 * Chebyshev nodes to 6e-8.
 */
const ERFC = `fn daybreakSmallErf(x: f32) -> f32 {
  let s = x * x;
  var p = 7.875875063e-5;
  p = p * s - 8.016864287e-4;
  p = p * s + 5.189087423e-3;
  p = p * s - 2.685421201e-2;
  p = p * s + 1.128359472e-1;
  p = p * s - 3.761262667e-1;
  p = p * s + 1.283791658e-1;
  return x + x * p;
}
// For z from 0 on.
fn daybreakErfc(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = 1.522794838e-1;
  p = p * t - 7.204177114e-1;
  p = p * t + 1.248708987;
  p = p * t - 8.168191284e-1;
  p = p * t + 1.766405861e-2;
  p = p * t - 4.968026769e-2;
  p = p * t + 5.150814697e-2;
  p = p * t + 3.832025478e-1;
  p = p * t + 9.990203459e-1;
  p = p * t - 1.26546641;
  return t * exp(p - z * z);
}`;

export const ERF = [
  ERFC,
  `fn daybreakErf(x: f32) -> f32 {
  let large = 1.0 - daybreakErfc(abs(x));
  return select(select(large, -large, x < 0.0), daybreakSmallErf(x), abs(x) < 1.0);
}`,
];

/** The normal distribution's cumulative function, accurate relative to its small values. */
export const NORMAL_CDF = [
  ERFC,
  `fn daybreakNormalCdf(x: f32) -> f32 {
  let z = x * 0.70710678;
  let tail = 0.5 * daybreakErfc(abs(z));
  return select(select(1.0 - tail, tail, z < 0.0), 0.5 + 0.5 * daybreakSmallErf(z), abs(z) < 0.5);
}`,
];

/**
 * WGSL for functions that some drivers compute inaccurately where gradients depend on them: log near 1 (relative error up
 * to 4e-3), tanh near 0 (no correct digit at 6e-8). Coefficients: Moshier, Cephes mathematical library (logf, tanhf).
 */

/**
 * `value`, a function of x, or x itself if x is NaN: WGSL lets drivers assume that there is no NaN, and SwiftShader's exp
 * and log do. NaN is detected by its bits, since a comparison may be folded.
 */
export const keepNaN = (x: string, value: string): string =>
  `select(${value}, ${x}, (bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u)`;

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
export const LOG = `${SMALL_LOG}
fn daybreakLog(x: f32) -> f32 {
  let z = x - 1.0;
  let isDenormal = x > 0.0 && x < 1.17549435e-38;
  let far = log(select(x, x * 16777216.0, isDenormal)) - select(0.0, 16.635532, isDenormal);
  return select(far, daybreakSmallLog(z), z >= -0.29 && z <= 0.41);
}`;

/** log(1 + x), accurate for small x. */
export const log1pFunction = `${SMALL_LOG.replaceAll('daybreakSmallLog', 'daybreakSmallLog1p')}
fn daybreakLog1p(x: f32) -> f32 {
  return select(log(1.0 + x), daybreakSmallLog1p(x), x >= -0.29 && x <= 0.41);
}`;

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

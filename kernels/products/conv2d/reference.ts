/** The three passes in float64 with plain loops: the reference for kernels. */
import { type Conv2dProblem, outputSize } from './problem.ts';

type Values = ArrayLike<number>;

/** Calls `visit` with the flat indices of every product of the sum: y, x, weight. */
function forEachProduct(problem: Conv2dProblem, visit: (y: number, x: number, weight: number) => void): void {
  const { n, c, h, w, k, r, s, stride, padding, dilation = [1, 1], groups = 1 } = problem;
  const channels = c / groups;
  const [oh, ow] = outputSize(problem);
  for (let image = 0; image < n; image++)
    for (let out = 0; out < k; out++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++)
          for (let channel = 0; channel < channels; channel++)
            for (let p = 0; p < r; p++)
              for (let q = 0; q < s; q++) {
                const row = i * stride[0] + p * dilation[0] - padding[0];
                const column = j * stride[1] + q * dilation[1] - padding[1];
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                visit(
                  ((image * k + out) * oh + i) * ow + j,
                  ((image * c + Math.floor(out / (k / groups)) * channels + channel) * h + row) * w + column,
                  ((out * channels + channel) * r + p) * s + q,
                );
              }
}

/** y [n, k, oh, ow]. */
export function conv2dReference(problem: Conv2dProblem, x: Values, weight: Values, bias?: Values): Float64Array {
  const { n, k } = problem;
  const [oh, ow] = outputSize(problem);
  const y = new Float64Array(n * k * oh * ow);
  if (bias) for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / (oh * ow)) % k];
  forEachProduct(problem, (out, from, by) => {
    y[out] += x[from] * weight[by];
  });
  return y;
}

/** gx [n, c, h, w] from gy [n, k, oh, ow]. */
export function conv2dInputGradientReference(problem: Conv2dProblem, gy: Values, weight: Values): Float64Array {
  const gx = new Float64Array(problem.n * problem.c * problem.h * problem.w);
  forEachProduct(problem, (out, from, by) => {
    gx[from] += gy[out] * weight[by];
  });
  return gx;
}

/** gw [k, c / groups, r, s] from x and gy. */
export function conv2dWeightGradientReference(problem: Conv2dProblem, x: Values, gy: Values): Float64Array {
  const { c, k, r, s, groups = 1 } = problem;
  const gw = new Float64Array((k * c * r * s) / groups);
  forEachProduct(problem, (out, from, by) => {
    gw[by] += gy[out] * x[from];
  });
  return gw;
}

/** The kernels of MATLAB's imresize, and the input weights of each output sample. */

export type ResizeMethod = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos2' | 'lanczos3';

/**
 * Padding beyond the edge: `symmetric` mirrors and repeats the edge sample (MATLAB today), `clamp` repeats the edge
 * sample (MATLAB when the benchmarks' LR files were made), `wrap` continues at the opposite edge, for seamless
 * textures.
 */
export type Boundary = 'symmetric' | 'clamp' | 'wrap';

/** Options of {@link resize}. */
export interface ResizeOptions {
  /** Default: bicubic. */
  readonly method?: ResizeMethod;
  /** Default: symmetric. */
  readonly boundary?: Boundary;
  /** Widen the kernel when shrinking. Default: true; `nearest` never does. */
  readonly antialias?: boolean;
}

interface Kernel {
  readonly width: number;
  readonly value: (x: number) => number;
}

/** Keys 1981 with a = -1/2: the weight of a sample `x` samples away. */
export function cubic(x: number): number {
  const t = Math.abs(x);
  if (t <= 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t <= 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

/** sinc(x) · sinc(x / n) on |x| < n; MATLAB adds eps to numerator and denominator instead of special-casing 0. */
function lanczos(n: number): (x: number) => number {
  return x => {
    if (Math.abs(x) >= n) return 0;
    const angle = Math.PI * x;
    const numerator = Math.sin(angle) * Math.sin(angle / n) + Number.EPSILON;
    return numerator / ((angle * angle) / n + Number.EPSILON);
  };
}

const KERNELS: Record<ResizeMethod, Kernel> = {
  nearest: { width: 1, value: x => (x >= -0.5 && x < 0.5 ? 1 : 0) },
  bilinear: { width: 2, value: x => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { width: 4, value: cubic },
  lanczos2: { width: 4, value: lanczos(2) },
  lanczos3: { width: 6, value: lanczos(3) },
};

/** The methods that `resize` supports. */
export const RESIZE_METHODS = Object.keys(KERNELS) as readonly ResizeMethod[];

/** Output k is the sum of the inputs `index[k·taps…]` with the weights `weight[k·taps…]`. */
export interface Taps {
  readonly taps: number;
  readonly weight: Float64Array;
  readonly index: Int32Array;
}

/** The taps for resizing a side from `input` to `output` samples by `scale`. */
export function contributions(input: number, output: number, scale: number, options: Required<ResizeOptions>): Taps {
  const kernel = KERNELS[options.method];
  const widen = scale < 1 && options.antialias && options.method !== 'nearest' ? scale : 1;
  const width = kernel.width / widen;
  const taps = Math.ceil(width) + 2;
  const weight = new Float64Array(output * taps);
  const index = new Int32Array(output * taps);
  for (let k = 0; k < output; k++) {
    const centre = (k + 1) / scale + 0.5 * (1 - 1 / scale);
    const left = Math.floor(centre - width / 2);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const value = widen * kernel.value(widen * (centre - (left + tap)));
      weight[k * taps + tap] = value;
      index[k * taps + tap] = within(left + tap - 1, input, options.boundary);
      sum += value;
    }
    for (let tap = 0; tap < taps; tap++) weight[k * taps + tap] /= sum;
  }
  return withoutIdleTaps({ taps, weight, index }, output);
}

/** Maps a position, possibly outside, to a sample of a side of `length`. */
export function within(position: number, length: number, boundary: Boundary): number {
  if (boundary === 'clamp') return Math.min(length - 1, Math.max(0, position));
  if (boundary === 'wrap') return ((position % length) + length) % length;
  const period = 2 * length;
  const phase = ((position % period) + period) % period;
  return phase < length ? phase : period - 1 - phase;
}

/** Drops leading and trailing taps with zero weight for all outputs. */
function withoutIdleTaps({ taps, weight, index }: Taps, output: number): Taps {
  let first = taps;
  let last = 0;
  for (let i = 0; i < weight.length; i++) {
    if (weight[i] === 0) continue;
    first = Math.min(first, i % taps);
    last = Math.max(last, i % taps);
  }
  const kept = last - first + 1;
  const trimmed: Taps = { taps: kept, weight: new Float64Array(output * kept), index: new Int32Array(output * kept) };
  for (let k = 0; k < output; k++) {
    const start = k * taps + first;
    trimmed.weight.set(weight.subarray(start, start + kept), k * kept);
    trimmed.index.set(index.subarray(start, start + kept), k * kept);
  }
  return trimmed;
}

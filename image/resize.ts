/**
 * MATLAB's imresize, sample for sample: separable kernels, widened when shrinking (antialiasing), weights normalised
 * for each output sample, the dimension with the smaller scale first (rows on a tie), and pictures rounded half up
 * after each of the two passes.
 */

import { ImageError } from './errors.ts';
import { createPicture, describe, type Picture, peak, type Samples, samplesLike } from './picture.ts';

export type ResizeMethod = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos2' | 'lanczos3';

/**
 * What lies beyond the edge: `symmetric` mirrors with the edge sample repeated (MATLAB today), `clamp` repeats the edge
 * sample (MATLAB when the benchmarks' LR files were made).
 */
export type Boundary = 'symmetric' | 'clamp';

export interface ResizeOptions {
  /** Default: bicubic. */
  readonly method?: ResizeMethod;
  /** Default: symmetric. */
  readonly boundary?: Boundary;
  /** Widen the kernel when shrinking. Default: true; `nearest` never does. */
  readonly antialias?: boolean;
}

/** A factor for both sides (a side of n becomes ceil(n · scale)), or both sides in pixels. */
export type ResizeTarget = number | { readonly width: number; readonly height: number };

interface Kernel {
  readonly width: number;
  readonly value: (x: number) => number;
}

/** Keys 1981 with a = -1/2. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t <= 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t <= 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

/** sinc(x) · sinc(x / n) on |x| < n; MATLAB adds eps to numerator and denominator instead of treating 0 apart. */
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

/** The methods that `resize` knows. */
export const RESIZE_METHODS = Object.keys(KERNELS) as readonly ResizeMethod[];

/** For output k the weights `weight[k·taps…]` of the inputs `index[k·taps…]`. */
interface Taps {
  readonly taps: number;
  readonly weight: Float64Array;
  readonly index: Int32Array;
}

function contributions(input: number, output: number, scale: number, options: Required<ResizeOptions>): Taps {
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

function within(position: number, length: number, boundary: Boundary): number {
  if (boundary === 'clamp') return Math.min(length - 1, Math.max(0, position));
  const period = 2 * length;
  const phase = ((position % period) + period) % period;
  return phase < length ? phase : period - 1 - phase;
}

/** Drops the leading and trailing taps that weigh nothing for any output. */
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

/** Rows of `length` samples each: output row k is the weighted sum of input rows. */
function resizeRows(samples: Float64Array, length: number, output: number, { taps, weight, index }: Taps) {
  const out = new Float64Array(output * length);
  for (let k = 0; k < output; k++) {
    const row = out.subarray(k * length, (k + 1) * length);
    for (let tap = 0; tap < taps; tap++) {
      const w = weight[k * taps + tap];
      if (w === 0) continue;
      const start = index[k * taps + tap] * length;
      for (let i = 0; i < length; i++) row[i] += w * samples[start + i];
    }
  }
  return out;
}

/** The same along each row of `input` pixels of `channels` interleaved samples. */
function resizeColumns(
  samples: Float64Array,
  rows: number,
  input: number,
  output: number,
  channels: number,
  { taps, weight, index }: Taps,
): Float64Array {
  const out = new Float64Array(rows * output * channels);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      const source = y * input * channels + c;
      let target = y * output * channels + c;
      for (let k = 0, tap = 0; k < output; k++, target += channels) {
        let sum = 0;
        for (const end = tap + taps; tap < end; tap++) sum += weight[tap] * samples[source + index[tap] * channels];
        out[target] = sum;
      }
    }
  }
  return out;
}

/** Half up to integers 0…`largest`, in place. */
function quantise(samples: Float64Array, largest: number): Float64Array {
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.min(largest, Math.max(0, Math.floor(samples[i] + 0.5)));
  }
  return samples;
}

function sidesOf(width: number, height: number, target: ResizeTarget) {
  const sides =
    typeof target === 'number'
      ? { width: Math.ceil(width * target), height: Math.ceil(height * target) }
      : { width: target.width, height: target.height };
  if (![sides.width, sides.height].every(side => Number.isInteger(side) && side > 0)) {
    throw new ImageError('picture', `cannot resize ${width}x${height} to ${sides.width}x${sides.height}`);
  }
  const scale = typeof target === 'number' ? { x: target, y: target } : undefined;
  return { ...sides, x: scale?.x ?? sides.width / width, y: scale?.y ?? sides.height / height };
}

function bothPasses(
  samples: Float64Array,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  target: ResizeTarget,
  options: ResizeOptions,
  afterPass: (samples: Float64Array) => Float64Array,
): { width: number; height: number; data: Float64Array } {
  const { width, height, channels } = size;
  const out = sidesOf(width, height, target);
  const full = { method: 'bicubic', boundary: 'symmetric', antialias: true, ...options } as const;
  const down = contributions(height, out.height, out.y, full);
  const across = contributions(width, out.width, out.x, full);
  let data: Float64Array;
  if (out.y <= out.x) {
    const rows = afterPass(resizeRows(samples, width * channels, out.height, down));
    data = afterPass(resizeColumns(rows, out.height, width, out.width, channels, across));
  } else {
    const columns = afterPass(resizeColumns(samples, height, width, out.width, channels, across));
    data = afterPass(resizeRows(columns, out.width * channels, out.height, down));
  }
  return { width: out.width, height: out.height, data };
}

/**
 * `imresize` of an 8- or 16-bit picture (MATLAB rounds uint16 as it does uint8); every channel, alpha too, is resized
 * alone.
 * @throws ImageError where the target has no pixels.
 */
export function resize<S extends Samples>(
  picture: Picture<S>,
  target: ResizeTarget,
  options: ResizeOptions = {},
): Picture<S> {
  const largest = peak(picture);
  const rounded = (samples: Float64Array) => quantise(samples, largest);
  const { width, height, data } = bothPasses(new Float64Array(picture.data), picture, target, options, rounded);
  const out = samplesLike(picture.data, data.length);
  out.set(data);
  return createPicture(width, height, picture.channels, out);
}

/**
 * `imresize` of real samples, neither rounded nor clipped: `data[(y · width + x) · channels + c]` of any range.
 * @throws ImageError where the target has no pixels or `data` does not have width · height · channels samples.
 */
export function resizeSamples(
  samples: {
    readonly width: number;
    readonly height: number;
    readonly channels: number;
    readonly data: Float64Array | Float32Array;
  },
  target: ResizeTarget,
  options: ResizeOptions = {},
): { width: number; height: number; data: Float64Array } {
  const { width, height, channels, data } = samples;
  if (data.length !== width * height * channels) {
    throw new ImageError('samples', `${width}x${height}x${channels} does not make ${data.length} samples`);
  }
  return bothPasses(new Float64Array(data), samples, target, options, all => all);
}

/**
 * The low-resolution picture of a benchmark or of training: bicubic, 1/`factor`.
 * @throws ImageError where a side is not a multiple of `factor` (see `cropToMultiple`).
 */
export function shrink<S extends Samples>(picture: Picture<S>, factor = 4, boundary: Boundary = 'clamp'): Picture<S> {
  if (picture.width % factor !== 0 || picture.height % factor !== 0) {
    throw new ImageError('picture', `sides of ${describe(picture)} are not multiples of ${factor}`);
  }
  return resize(picture, 1 / factor, { method: 'bicubic', boundary });
}

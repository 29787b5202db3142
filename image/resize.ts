/**
 * MATLAB's imresize, sample for sample: separable kernels, widened when shrinking (antialiasing), weights normalised
 * for each output sample, the dimension with the smaller scale first (rows on a tie), and pictures rounded half up
 * after each of the two passes. Both passes run on one strip of output rows at a time, so little memory is needed
 * beside the result.
 */

import { ImageError } from './errors.ts';
import { createPicture, describe, type Picture, peak, type Samples, samplesLike } from './picture.ts';
import { type Boundary, contributions, type ResizeOptions, type Taps } from './resize-taps.ts';

export { type Boundary, RESIZE_METHODS, type ResizeMethod, type ResizeOptions } from './resize-taps.ts';

/** A scale for both sides (a side of n becomes ceil(n · scale)), or both sides in pixels. */
export type ResizeTarget = number | { readonly width: number; readonly height: number };

/** Output rows per strip. */
const STRIP = 64;

type AnySamples = Samples | Float64Array | Float32Array;

/** Weighted sums of rows of `length` samples, starting at input row `top`. Row k - `from` of `out` is output row k. */
function addRows(
  source: Float64Array,
  top: number,
  length: number,
  from: number,
  to: number,
  { taps, weight, index }: Taps,
  out: Float64Array,
): void {
  out.fill(0, 0, (to - from) * length);
  for (let k = from; k < to; k++) {
    const row = out.subarray((k - from) * length, (k - from + 1) * length);
    for (let tap = 0; tap < taps; tap++) {
      const w = weight[k * taps + tap];
      if (w === 0) continue;
      const start = (index[k * taps + tap] - top) * length;
      for (let i = 0; i < length; i++) row[i] += w * source[start + i];
    }
  }
}

/** Weighted sums along each of `rows` rows of `input` pixels with `channels` interleaved samples. */
function addColumns(
  source: Float64Array,
  rows: number,
  input: number,
  output: number,
  channels: number,
  { taps, weight, index }: Taps,
  out: Float64Array,
): void {
  for (let y = 0; y < rows; y++) {
    for (let c = 0; c < channels; c++) {
      const from = y * input * channels + c;
      let target = y * output * channels + c;
      for (let k = 0, tap = 0; k < output; k++, target += channels) {
        let sum = 0;
        for (const end = tap + taps; tap < end; tap++) sum += weight[tap] * source[from + index[tap] * channels];
        out[target] = sum;
      }
    }
  }
}

/** Rounds the first `length` samples half up to integers 0…`largest`, in place. */
function quantise(samples: Float64Array, length: number, largest: number): void {
  for (let i = 0; i < length; i++) samples[i] = Math.min(largest, Math.max(0, Math.floor(samples[i] + 0.5)));
}

/** The range of input rows (end exclusive) that output rows `from`…`to` - 1 depend on. */
function rowsUnder({ taps, index }: Taps, from: number, to: number): readonly [first: number, end: number] {
  let [first, last] = [index[from * taps], index[from * taps]];
  for (let tap = from * taps; tap < to * taps; tap++) {
    first = Math.min(first, index[tap]);
    last = Math.max(last, index[tap]);
  }
  return [first, last + 1];
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

interface Plan {
  readonly data: AnySamples;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly out: ReturnType<typeof sidesOf>;
  readonly options: ResizeOptions;
  /** Results are rounded to 0…`largest` after each pass; not rounded if undefined. */
  readonly largest: number | undefined;
}

/** A buffer that is reallocated only if it is too small. */
function growing(): (length: number) => Float64Array {
  let buffer = new Float64Array(0);
  return length => {
    if (buffer.length < length) buffer = new Float64Array(length);
    return buffer;
  };
}

/** Fills `result` strip by strip, yielding after each. */
function* fill(plan: Plan, result: AnySamples): Generator<void, void, void> {
  const { data, width, height, channels, out, largest } = plan;
  const full = { method: 'bicubic', boundary: 'symmetric', antialias: true, ...plan.options } as const;
  const down = contributions(height, out.height, out.y, full);
  const across = contributions(width, out.width, out.x, full);
  const [sources, halves, strips] = [growing(), growing(), growing()];
  const rounded = (samples: Float64Array, length: number) => {
    if (largest !== undefined) quantise(samples, length, largest);
  };
  for (let from = 0; from < out.height; from += STRIP) {
    if (from > 0) yield;
    const to = Math.min(out.height, from + STRIP);
    const [top, bottom] = rowsUnder(down, from, to);
    const source = sources((bottom - top) * width * channels);
    source.set(data.subarray(top * width * channels, bottom * width * channels));
    const length = (to - from) * out.width * channels;
    const strip = strips(length);
    if (out.y <= out.x) {
      const half = halves((to - from) * width * channels);
      addRows(source, top, width * channels, from, to, down, half);
      rounded(half, (to - from) * width * channels);
      addColumns(half, to - from, width, out.width, channels, across, strip);
    } else {
      const half = halves((bottom - top) * out.width * channels);
      addColumns(source, bottom - top, width, out.width, channels, across, half);
      rounded(half, (bottom - top) * out.width * channels);
      addRows(half, top, out.width * channels, from, to, down, strip);
    }
    rounded(strip, length);
    result.set(strip.subarray(0, length), from * out.width * channels);
  }
}

/** A zero picture and the generator that fills it. */
function begin<S extends Samples>(picture: Picture<S>, target: ResizeTarget, options: ResizeOptions) {
  const { width, height, channels, data } = picture;
  const out = sidesOf(width, height, target);
  const result = samplesLike(data, out.width * out.height * channels);
  const filling = fill({ data, width, height, channels, out, options, largest: peak(picture) }, result);
  return { filling, resized: createPicture(out.width, out.height, channels, result) };
}

function finish(filling: Iterator<void>): void {
  while (!filling.next().done);
}

async function finishInTurns(filling: Iterator<void>, signal: AbortSignal | undefined): Promise<void> {
  while (!filling.next().done) {
    await new Promise(resolve => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  }
}

/**
 * `imresize` of an 8- or 16-bit picture (MATLAB rounds uint16 like uint8). Channels, including alpha, are resized
 * independently.
 * @throws ImageError if the target has no pixels.
 */
export function resize<S extends Samples>(
  picture: Picture<S>,
  target: ResizeTarget,
  options: ResizeOptions = {},
): Picture<S> {
  const { filling, resized } = begin(picture, target, options);
  finish(filling);
  return resized;
}

/**
 * Like `resize`, but yields to the event loop, so that timers and signals are handled meanwhile.
 * @throws ImageError if the target has no pixels; the signal's reason if it is aborted.
 */
export async function resizeInTurns<S extends Samples>(
  picture: Picture<S>,
  target: ResizeTarget,
  { signal, ...options }: ResizeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Picture<S>> {
  signal?.throwIfAborted();
  const { filling, resized } = begin(picture, target, options);
  await finishInTurns(filling, signal);
  return resized;
}

/**
 * `imresize` of float samples of any range, neither rounded nor clipped: `data[(y · width + x) · channels + c]`.
 * @throws ImageError if the target has no pixels or the length of `data` is not width · height · channels.
 */
export function resizeSamples(
  samples: FloatSamples,
  target: ResizeTarget,
  options: ResizeOptions = {},
): { width: number; height: number; data: Float64Array } {
  const { filling, resized } = beginSamples(samples, target, options);
  finish(filling);
  return resized;
}

/**
 * Like `resizeSamples`, but yields to the event loop.
 * @throws as `resizeSamples`; the signal's reason if it is aborted.
 */
export async function resizeSamplesInTurns(
  samples: FloatSamples,
  target: ResizeTarget,
  { signal, ...options }: ResizeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<{ width: number; height: number; data: Float64Array }> {
  signal?.throwIfAborted();
  const { filling, resized } = beginSamples(samples, target, options);
  await finishInTurns(filling, signal);
  return resized;
}

/** Interleaved: `data[(y · width + x) · channels + c]`. */
interface FloatSamples {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float64Array | Float32Array;
}

function beginSamples(samples: FloatSamples, target: ResizeTarget, options: ResizeOptions) {
  const { width, height, channels, data } = samples;
  if (data.length !== width * height * channels) {
    throw new ImageError(
      'samples',
      `${width}x${height}x${channels}: expected ${width * height * channels} samples, got ${data.length}`,
    );
  }
  const out = sidesOf(width, height, target);
  const result = new Float64Array(out.width * out.height * channels);
  const filling = fill({ ...samples, out, options, largest: undefined }, result);
  return { filling, resized: { width: out.width, height: out.height, data: result } };
}

/**
 * Makes the low-resolution picture for benchmarks and training: bicubic, 1/`factor`.
 * @throws ImageError if a side is not a multiple of `factor` (see `cropToMultiple`).
 */
export function shrink<S extends Samples>(picture: Picture<S>, factor = 4, boundary: Boundary = 'clamp'): Picture<S> {
  if (picture.width % factor !== 0 || picture.height % factor !== 0) {
    throw new ImageError('picture', `expected sides that are multiples of ${factor}, got ${describe(picture)}`);
  }
  return resize(picture, 1 / factor, { method: 'bicubic', boundary });
}

/**
 * Degradations of the LR pictures beside bicubic (`--degrade`), for photographs from the web: the classical model
 * y = JPEG((x ⊛ k)↓ + n), equation 1 of Wang et al. 2021 ("Real-ESRGAN", one of its two rounds), with isotropic Gaussian
 * kernels and noise. Zhang et al. 2021 ("BSRGAN") shuffle the steps.
 */

import { Philox } from '../engine/basics/philox.ts';
import { gaussianTaps } from '../image/filter.ts';
import { createPicture, type Picture } from '../image/picture.ts';

/** `blur` comes before downscaling; `noise`, then `jpeg`, after it. */
export type DegradationKind = 'blur' | 'noise' | 'jpeg';

/** Range from which each picture's value is drawn uniformly, both ends included. */
export interface DegradationRange {
  readonly low: number;
  readonly high: number;
}

/** Ranges of the enabled degradations. */
export type DegradationRanges = Readonly<Partial<Record<DegradationKind, DegradationRange>>>;

/** The degradation of one picture. */
export interface Degradation {
  /** σ in pixels of the original; 0: none. */
  readonly blur: number;
  /** σ in levels from 0 to 255; 0: none. */
  readonly noise: number;
  /** Quality from 1 to 100; undefined: none. */
  readonly jpeg: number | undefined;
  /** Seed of the noise. */
  readonly seed: number;
  readonly stream: number;
}

/** Lowest and highest values allowed. */
const BOUNDS: Readonly<Record<DegradationKind, readonly [number, number]>> = {
  blur: [0, 20],
  noise: [0, 100],
  jpeg: [1, 100],
};

/** For messages and help. */
export const DEGRADE_EXPECTED =
  'blur=LOW-HIGH (σ, 0 to 20), noise=LOW-HIGH (σ, 0 to 100) or jpeg=LOW-HIGH (quality, 1 to 100), each once';

/** Parses "blur=0.2-3", "noise=5" and the like; undefined if one is invalid or a kind is given twice. */
export function parseDegradations(texts: readonly string[]): DegradationRanges | undefined {
  const ranges: Partial<Record<DegradationKind, DegradationRange>> = {};
  for (const text of texts) {
    const match = /^(blur|noise|jpeg)=(\d{1,6}(?:\.\d{1,6})?)(?:-(\d{1,6}(?:\.\d{1,6})?))?$/.exec(text);
    if (!match) return undefined;
    const kind = match[1] as DegradationKind;
    const [low, high] = [Number(match[2]), Number(match[3] ?? match[2])];
    const [least, most] = BOUNDS[kind];
    const whole = kind !== 'jpeg' || (Number.isInteger(low) && Number.isInteger(high));
    if (ranges[kind] || low > high || low < least || high > most || !whole) return undefined;
    ranges[kind] = { low, high };
  }
  return ranges;
}

/** Streams of the seed's random numbers: those of degradations begin here, one a picture. See `crop-plan.ts`. */
const DEGRADATIONS = 2 ** 42;

/** What is done to picture `number`: a function of the seed and the number alone. */
export function degradationOf(ranges: DegradationRanges, seed: number, number: number): Degradation {
  const stream = DEGRADATIONS + 2 * number;
  const random = new Philox(seed, stream);
  // Always three draws, so that enabling one kind does not change the values of another.
  const [blur, noise, jpeg] = [random.uniform(), random.uniform(), random.uniform()];
  const drawn = (range: DegradationRange | undefined, u: number) =>
    range === undefined ? 0 : range.low + (range.high - range.low) * u;
  const quality = ranges.jpeg && Math.floor(ranges.jpeg.low + (ranges.jpeg.high - ranges.jpeg.low + 1) * jpeg);
  return {
    blur: drawn(ranges.blur, blur),
    noise: drawn(ranges.noise, noise),
    jpeg: quality,
    seed,
    stream: stream + 1,
  };
}

/** Blurs with a Gaussian of `sigma` pixels, truncated at 4 σ. Edge pixels are repeated, results rounded. */
export function blurred(picture: Picture, sigma: number): Picture {
  const radius = Math.ceil(4 * sigma);
  if (radius === 0) return picture;
  const taps = gaussianTaps(radius, sigma);
  const { width, height, channels, data } = picture;
  const stride = width * channels;
  const across = alongLines(data, taps, { lines: height, line: stride, length: width, step: channels, channels });
  const down = alongLines(across, taps, { lines: width, line: channels, length: height, step: stride, channels });
  return createPicture(
    width,
    height,
    channels,
    Uint8Array.from(down, value => Math.floor(value + 0.5)),
  );
}

/** Layout of samples: `lines` of `length` pixels, with strides in samples between lines and between pixels. */
interface Lines {
  readonly lines: number;
  readonly line: number;
  readonly length: number;
  readonly step: number;
  readonly channels: number;
}

function alongLines(
  data: ArrayLike<number>,
  taps: Float64Array,
  { lines, line, length, step, channels }: Lines,
): Float32Array {
  const out = new Float32Array(data.length);
  const radius = taps.length >> 1;
  const padded = new Float64Array(length + 2 * radius);
  for (let l = 0; l < lines; l++) {
    for (let c = 0; c < channels; c++) {
      const start = l * line + c;
      for (let i = 0; i < padded.length; i++)
        padded[i] = data[start + Math.min(Math.max(i - radius, 0), length - 1) * step];
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let k = 0; k < taps.length; k++) sum += taps[k] * padded[i + k];
        out[start + i * step] = sum;
      }
    }
  }
  return out;
}

/** Adds Gaussian noise with a σ of `noise` levels to every sample. Results are rounded and clamped to 0…255. */
export function noisy(
  picture: Picture,
  { noise, seed, stream }: Pick<Degradation, 'noise' | 'seed' | 'stream'>,
): Picture {
  if (noise === 0) return picture;
  const random = new Philox(seed, stream);
  const data = new Uint8Array(picture.data.length);
  // Box and Muller 1958: two normal numbers from two uniform ones.
  for (let i = 0; i < data.length; i += 2) {
    const radius = noise * Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    data[i] = level(picture.data[i] + radius * Math.cos(angle));
    if (i + 1 < data.length) data[i + 1] = level(picture.data[i + 1] + radius * Math.sin(angle));
  }
  return { ...picture, data };
}

const level = (value: number): number => Math.min(255, Math.max(0, Math.floor(value + 0.5)));

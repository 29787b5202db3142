/** Separable symmetric filters over planes, and Gaussian weights. */

/** `data[y · width + x]`. */
interface Samples {
  readonly data: Float64Array;
  readonly width: number;
  readonly height: number;
}

/** Pads with `border` zeros. */
function frame({ data, width, height }: Samples, border: number): Samples {
  const stride = width + 2 * border;
  const framed = new Float64Array(stride * (height + 2 * border));
  for (let y = 0; y < height; y++) {
    framed.set(data.subarray(y * width, (y + 1) * width), (y + border) * stride + border);
  }
  return { data: framed, width: stride, height: height + 2 * border };
}

/**
 * Filters rows and columns with `taps` (an odd count, symmetric) at positions where the whole window lies inside:
 * (width - n + 1)×(height - n + 1) sums for n taps. Integers below 2^53 stay exact.
 */
export function filterValid({ data, width, height }: Samples, taps: Float64Array): Float64Array {
  const radius = taps.length >> 1;
  const outWidth = width - 2 * radius;
  const outHeight = height - 2 * radius;
  const centre = taps[radius];
  const across = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    const start = y * width + radius;
    for (let x = 0; x < outWidth; x++) {
      let sum = centre * data[start + x];
      for (let i = 1; i <= radius; i++) sum += taps[radius + i] * (data[start + x - i] + data[start + x + i]);
      across[y * outWidth + x] = sum;
    }
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let y = 0; y < outHeight; y++) {
    const start = (y + radius) * outWidth;
    const row = out.subarray(y * outWidth, (y + 1) * outWidth);
    for (let x = 0; x < outWidth; x++) row[x] = centre * across[start + x];
    for (let i = 1; i <= radius; i++) {
      const weight = taps[radius + i];
      const above = start - i * outWidth;
      const below = start + i * outWidth;
      for (let x = 0; x < outWidth; x++) row[x] += weight * (across[above + x] + across[below + x]);
    }
  }
  return out;
}

/** Like `filterValid` at every sample, with zeros outside: width×height sums. */
export function filterSame(samples: Samples, taps: Float64Array): Float64Array {
  return filterValid(frame(samples, taps.length >> 1), taps);
}

/** 2 · radius + 1 samples of a Gaussian of `sigma` samples, whose sum is 1. */
export function gaussianTaps(radius: number, sigma: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map(tap => tap / sum);
}

/** Separable symmetric filters over planes, as the two SSIMs need them. */

/** Sums along rows, then columns, of `taps` (odd count) around each sample; samples outside the plane count nothing. */
export function filterSame(data: Float64Array, width: number, height: number, taps: Float64Array): Float64Array {
  const radius = taps.length >> 1;
  const across = new Float64Array(data.length);
  // Rows in a padded buffer: the inner loop then needs no test for the edge.
  const padded = new Float64Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    padded.set(data.subarray(y * width, (y + 1) * width), radius);
    const row = across.subarray(y * width, (y + 1) * width);
    for (let x = 0; x < width; x++) {
      let sum = taps[radius] * padded[x + radius];
      for (let i = 1; i <= radius; i++) sum += taps[radius - i] * (padded[x + radius - i] + padded[x + radius + i]);
      row[x] = sum;
    }
  }
  const out = new Float64Array(data.length);
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * width, (y + 1) * width);
    for (let tap = 0; tap < taps.length; tap++) {
      const from = y + tap - radius;
      if (from < 0 || from >= height) continue;
      const weight = taps[tap];
      const start = from * width;
      for (let x = 0; x < width; x++) row[x] += weight * across[start + x];
    }
  }
  return out;
}

/** The same where the whole window lies inside: (width - n + 1)×(height - n + 1) sums for n taps. */
export function filterValid(data: Float64Array, width: number, height: number, taps: Float64Array): Float64Array {
  const radius = taps.length >> 1;
  const outWidth = width - 2 * radius;
  const outHeight = height - 2 * radius;
  const across = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    const start = y * width + radius;
    const row = across.subarray(y * outWidth, (y + 1) * outWidth);
    for (let x = 0; x < outWidth; x++) {
      let sum = taps[radius] * data[start + x];
      for (let i = 1; i <= radius; i++) sum += taps[radius - i] * (data[start + x - i] + data[start + x + i]);
      row[x] = sum;
    }
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let y = 0; y < outHeight; y++) {
    const row = out.subarray(y * outWidth, (y + 1) * outWidth);
    for (let tap = 0; tap < taps.length; tap++) {
      const weight = taps[tap];
      const start = (y + tap) * outWidth;
      for (let x = 0; x < outWidth; x++) row[x] += weight * across[start + x];
    }
  }
  return out;
}

/** Curves of ICC profiles, from samples to light (ICC.1:2022, 10.6 curveType and 10.18 parametricCurveType). */

/** Maps a sample 0…1 to light 0…1. A damaged profile's curve may return any value. */
export type Curve = (number: number) => number;

const CURVE = 0x63757276;
const PARAMETRIC = 0x70617261;
/** Parameter counts of the five function types. */
const PARAMETERS = [1, 3, 4, 5, 7];

/** Reads the curve in a tag. Undefined if there is none. */
export function curveOf(tag: DataView): Curve | undefined {
  if (tag.byteLength < 12) return undefined;
  if (tag.getUint32(0) === CURVE) return sampled(tag);
  return tag.getUint32(0) === PARAMETRIC ? parametric(tag) : undefined;
}

function sampled(tag: DataView): Curve | undefined {
  const count = tag.getUint32(8);
  if (tag.byteLength < 12 + 2 * count) return undefined;
  if (count === 0) return x => x;
  if (count === 1) return x => x ** (tag.getUint16(12) / 256);
  const value = (i: number) => tag.getUint16(12 + 2 * i) / 65535;
  return x => {
    const at = x * (count - 1);
    const below = Math.min(count - 2, Math.floor(at));
    return value(below) + (at - below) * (value(below + 1) - value(below));
  };
}

function parametric(tag: DataView): Curve | undefined {
  const kind = tag.getUint16(8);
  if (kind >= PARAMETERS.length || tag.byteLength < 12 + 4 * PARAMETERS[kind]) return undefined;
  const [g, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from(
    { length: PARAMETERS[kind] },
    (_, i) => tag.getInt32(12 + 4 * i) / 65536,
  );
  // Rounding may make the base negative.
  const power = (x: number) => Math.max(0, a * x + b) ** g;
  if (kind === 0) return power;
  if (kind === 1) return x => (a * x + b >= 0 ? power(x) : 0);
  if (kind === 2) return x => (a * x + b >= 0 ? power(x) : 0) + c;
  return x => (x >= d ? power(x) + e : c * x + f);
}

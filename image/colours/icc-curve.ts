/** Curves of ICC profiles, from numbers to light (ICC.1:2022, 10.6 curveType and 10.18 parametricCurveType). */

/** Light 0…1 of a number 0…1; a damaged profile's may give anything. */
export type Curve = (number: number) => number;

const CURVE = 0x63757276;
const PARAMETRIC = 0x70617261;
/** Parameters of the five kinds of function. */
const PARAMETERS = [1, 3, 4, 5, 7];

/** The curve of a tag, or undefined where it holds none. */
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
  // Rounding may bring the beginning of a power below 0.
  const power = (x: number) => Math.max(0, a * x + b) ** g;
  if (kind === 0) return power;
  if (kind === 1) return x => (a * x + b >= 0 ? power(x) : 0);
  if (kind === 2) return x => (a * x + b >= 0 ? power(x) : 0) + c;
  return x => (x >= d ? power(x) + e : c * x + f);
}

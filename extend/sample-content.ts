/** The content of sample inputs. */
import { sizeOf } from '../engine/basics/shape.ts';
import type { SampleInput } from '../engine/specify.ts';
import type { Elements } from '../engine/tensor.ts';

/** An input's content from random numbers in [0, 1). */
export function elementsOf(
  { shape, dtype, range: [low, high] = [-1, 1], values }: SampleInput,
  random: () => number,
): Elements {
  const draw = (_: unknown, i: number) => values?.[i] ?? low + (high - low) * random();
  const length = sizeOf(shape);
  if (dtype === 'u32') return Uint32Array.from({ length }, (_, i) => Math.floor(draw(_, i)));
  if (dtype === 'i32') return Int32Array.from({ length }, (_, i) => Math.floor(draw(_, i)));
  return Float32Array.from({ length }, draw);
}

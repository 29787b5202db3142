/** Shapes and the rules for combining them. A shape lists dimensions from outermost to innermost; `[]` is a scalar. */
import { nameOf, ShapeError } from './errors.ts';

/** Sizes of the axes, outermost first; [] for a scalar. */
export type Shape = readonly number[];

/**
 * Element types of a tensor: all are 32 bits wide. A `bool` is stored as the f32 0 or 1, so it can be used wherever an f32 can,
 * and masks multiply without a conversion.
 */
export type DType = 'f32' | 'i32' | 'u32' | 'bool';

/** Types of whole numbers. */
export type IntegerType = 'i32' | 'u32';

export const isInteger = (dtype: DType): dtype is IntegerType => dtype === 'i32' || dtype === 'u32';

/** The WGSL type of an element in memory. */
export const wgslType = (dtype: DType): string => (dtype === 'bool' ? 'f32' : dtype);

/** Shape and element type of a tensor. */
export interface TensorSpec {
  /** Sizes of the axes. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: DType;
}

/** A spec of type f32. */
export const f32 = (shape: Shape): TensorSpec => ({ shape, dtype: 'f32' });
export const u32 = (shape: Shape): TensorSpec => ({ shape, dtype: 'u32' });

/** Another shape of the same type. */
export const like = ({ dtype }: TensorSpec, shape: Shape): TensorSpec => ({ shape, dtype });

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);

/** Throws a {@link ShapeError} unless every dimension is a positive integer. */
export function checkShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(operation, `expected a shape as an array of numbers, got ${nameOf(shape)}.`);
  for (const dimension of shape)
    if (!Number.isInteger(dimension) || dimension < 1)
      throw new ShapeError(operation, `expected positive integer dimensions, got ${formatShape(shape)}.`);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** NumPy's broadcasting: align at the right, dimensions of 1 stretch. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new ShapeError(operation, `cannot broadcast ${formatShape(a)} with ${formatShape(b)}.`);
    result[i] = left === 1 ? right : left;
  }
  return result;
}

/** Strides of `shape` read as if it had shape `target`: 0 where it stretches. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  return target.map((_, i) => {
    const axis = i - (target.length - shape.length);
    return axis < 0 || shape[axis] === 1 ? 0 : strides[axis];
  });
}

/** Axes as sorted, distinct, non-negative numbers; `undefined` means all of them. */
export function normalizeAxes(operation: string, axes: readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  if (!Array.isArray(axes))
    throw new ShapeError(operation, `expected axes as an array of numbers, got ${nameOf(axes)}.`);
  const result = axes.map(axis => {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
      throw new ShapeError(operation, `axis ${axis} does not exist in a tensor of rank ${rank}.`);
    return axis < 0 ? axis + rank : axis;
  });
  if (new Set(result).size !== result.length)
    throw new ShapeError(operation, `expected distinct axes, got ${axes.join(', ')}.`);
  return result.sort((a, b) => a - b);
}

/**
 * Merges adjacent axes that are contiguous for every operand, to shorten index arithmetic.
 * `strides[o]` are operand o's strides over `shape`; axes of size 1 are removed.
 */
export function mergeAxes(shape: Shape, strides: readonly Shape[]): { shape: number[]; strides: number[][] } {
  const merged: number[] = [];
  const out: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = merged.length - 1;
    const joins = last >= 0 && strides.every((s, o) => out[o][last] === s[axis] * size);
    if (joins) {
      merged[last] *= size;
      strides.forEach((s, o) => {
        out[o][last] = s[axis];
      });
    } else {
      merged.push(size);
      strides.forEach((s, o) => {
        out[o].push(s[axis]);
      });
    }
  }
  return { shape: merged, strides: out };
}

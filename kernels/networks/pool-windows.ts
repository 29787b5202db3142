/** The windows of pooling: which elements of an axis each of them has, in the tests' terms and as WGSL. */
import { ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape } from '../../engine/basics/shape.ts';
import type { Pair } from '../pairs.ts';

/** Windows of one size at equal distances. Pairs are [rows, columns]. */
export interface SlidingWindows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  /** Whether there is a last window that begins inside of the image or its padding, and ends beyond. */
  readonly ceil: boolean;
  /** Mean only: whether padding counts as zeros. */
  readonly counted: boolean;
}

/** As many windows as `size` says, which cover the image. */
export interface AdaptiveWindows {
  readonly size: Pair;
}

export type Windows = SlidingWindows | AdaptiveWindows;

const isAdaptive = (windows: Windows): windows is AdaptiveWindows => 'size' in windows;

/** Number of windows along an axis, as PyTorch counts them. */
function countOf({ kernel, stride, padding, dilation, ceil }: SlidingWindows, size: number, axis: 0 | 1): number {
  const room = size + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1;
  const count = Math.floor((room + (ceil ? stride[axis] - 1 : 0)) / stride[axis]) + 1;
  // The last one must not begin in the padding after the image.
  return ceil && (count - 1) * stride[axis] >= size + padding[axis] ? count - 1 : count;
}

/** The shape after pooling. Throws ShapeError. */
export function pooledShape(operation: string, shape: Shape, windows: Windows): number[] {
  if (shape.length !== 4) throw new ShapeError(operation, `expected x of [N, C, H, W], got ${formatShape(shape)}.`);
  const [n, c, h, w] = shape;
  if (isAdaptive(windows)) return [n, c, ...windows.size];
  const { kernel, padding } = windows;
  if (padding.some((amount, axis) => 2 * amount > kernel[axis]))
    throw new ShapeError(
      operation,
      `expected padding of at most half the kernel, got ${padding.join('x')} for ${kernel.join('x')}.`,
    );
  const [down, across] = [countOf(windows, h, 0), countOf(windows, w, 1)];
  if (down < 1 || across < 1)
    throw new ShapeError(
      operation,
      `the ${kernel.join('x')} windows are larger than ${formatShape(shape)} padded by ${padding.join('x')}.`,
    );
  return [n, c, down, across];
}

/** Window `i` of `count` along an axis: its elements, and the size by which a mean divides. */
export function windowOf(
  windows: Windows,
  axis: 0 | 1,
  i: number,
  size: number,
  count: number,
): { readonly elements: number[]; readonly size: number } {
  const from = (first: number, length: number, step: number) =>
    Array.from({ length }, (_, p) => first + p * step).filter(at => at >= 0 && at < size);
  if (isAdaptive(windows)) {
    const first = Math.floor((i * size) / count);
    const elements = from(first, Math.ceil(((i + 1) * size) / count) - first, 1);
    return { elements, size: elements.length };
  }
  const { kernel, stride, padding, dilation, counted } = windows;
  const first = i * stride[axis] - padding[axis];
  const elements = from(first, kernel[axis], dilation[axis]);
  return { elements, size: counted ? Math.min(kernel[axis], size + padding[axis] - first) : elements.length };
}

/** An axis of the windows as WGSL: i32 expressions of the window `i` or of an element's `position`. */
export interface AxisText {
  /** The first element, which may be in the padding. */
  start(i: string): string;
  /** Number of elements, some of which may be in the padding. */
  length(i: string): string;
  /** Distance between elements. */
  readonly step: number;
  /** Whether elements may be outside. */
  readonly padded: boolean;
  /** By what a mean divides: a number if it is the same for all windows. */
  size(i: string): string | number;
  /** The first and the last window that may have an element, and whether window `i` of them has it. */
  first(position: string): string;
  last(position: string): string;
  has(position: string, i: string): string | undefined;
}

/** `size` and `count` are names of the numbers of elements and of windows. */
export function axisText(windows: Windows, axis: 0 | 1, size: string, count: string): AxisText {
  if (isAdaptive(windows)) {
    const start = (i: string) => `${i} * ${size} / ${count}`;
    const length = (i: string) => `((${i} + 1) * ${size} + ${count} - 1) / ${count} - ${start(i)}`;
    return {
      start,
      length,
      step: 1,
      padded: false,
      size: i => `(${length(i)})`,
      first: position => `${position} * ${count} / ${size}`,
      last: position => `((${position} + 1) * ${count} - 1) / ${size}`,
      has: () => undefined,
    };
  }
  const [kernel, stride, padding, step] = [
    windows.kernel[axis],
    windows.stride[axis],
    windows.padding[axis],
    windows.dilation[axis],
  ];
  const { ceil, counted } = windows;
  const start = (i: string) => `${i} * ${stride} - ${padding}`;
  return {
    start,
    length: () => `${kernel}`,
    step,
    padded: padding > 0 || ceil,
    size(i) {
      if (counted) return ceil ? `min(${kernel}, ${size} + ${padding} - (${start(i)}))` : kernel;
      return padding > 0 || ceil ? `(min(${start(i)} + ${kernel}, ${size}) - max(${start(i)}, 0))` : kernel;
    },
    first: position => `max(0, (${position} + ${padding - (kernel - 1) * step + stride - 1}) / ${stride})`,
    last: position => `min(${count} - 1, (${position} + ${padding}) / ${stride})`,
    // A window before the first or after the last possible one is excluded by both bounds.
    has: (position, i) => (step === 1 ? undefined : `(${position} - (${start(i)})) % ${step} == 0`),
  };
}

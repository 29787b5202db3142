/** Sizes of results. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Size } from './tiles.ts';

/** A requested size exceeds the maximum scale. */
export class ResultSizeError extends DaybreakError {
  static override readonly name: string = 'ResultSizeError';
  static override readonly code: string = 'DAYBREAK_RESULT_SIZE';
}

/** A scale, or sides in pixels. If only one side is given, the aspect ratio determines the other. */
export type SizeRequest =
  | { readonly scale: number }
  | { readonly width: number; readonly height?: number | undefined }
  | { readonly width?: undefined; readonly height: number };

/** Maximum scale. */
export const MOST_SCALE = 4;

/**
 * The sides of a picture's result in pixels, rounded half up, at least 1.
 * @throws ResultSizeError if a side would be more than MOST_SCALE times as long.
 */
export function resultSize({ width, height }: Size, request: SizeRequest): Size {
  const whole = (side: number) => Math.max(1, Math.floor(side + 0.5));
  if ('scale' in request) return { width: whole(width * request.scale), height: whole(height * request.scale) };
  const size = {
    width: request.width ?? whole((width * (request.height ?? height)) / height),
    height: request.height ?? whole((height * (request.width ?? width)) / width),
  };
  if (size.width > whole(width * MOST_SCALE) || size.height > whole(height * MOST_SCALE)) {
    const [from, to] = [`${width}x${height}`, `${size.width}x${size.height}`];
    throw new ResultSizeError(`${from} to ${to} is more than ${MOST_SCALE} times as large`);
  }
  return size;
}

/** The size in names of results: `x4`, `x2.5`, `w1000`, `h750`, `1000x750`. */
export function sizeMark(request: SizeRequest): string {
  if ('scale' in request) return `x${request.scale}`;
  const { width, height } = request;
  if (width === undefined) return `h${height}`;
  return height === undefined ? `w${width}` : `${width}x${height}`;
}

/** True if the result is not larger than its picture, so no network is needed. */
export const isNoLarger = (to: Size, from: Size): boolean => to.width <= from.width && to.height <= from.height;

/** True if both sides are equal. */
export const isSameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** Draws pictures and frames onto a larger picture. */

import { createPicture, type Picture, toRgb } from '../image/picture.ts';
import type { Region } from './comparison-region.ts';
import type { Ink } from './lettering.ts';

/** An RGB picture of one colour. */
export function canvasOf(width: number, height: number, colour: Ink): Picture {
  const canvas = createPicture(width, height, 3);
  fillSpan(canvas.data, 0, canvas.data.length, colour);
  return canvas;
}

/** Fills samples from `start` to before `end` with a colour: one pixel, then copies of what is there, doubling. */
function fillSpan(data: Picture['data'], start: number, end: number, colour: Ink): void {
  if (start >= end) return;
  data.set(colour, start);
  for (let done = 3; start + done < end; done *= 2)
    data.copyWithin(start + done, start, Math.min(start + done, end - done));
}

/** Draws `picture` (grey is repeated, alpha dropped) at (x, y), each pixel as a square of `times`×`times`. */
export function place(canvas: Picture, picture: Picture, x: number, y: number, times = 1): void {
  const { width, height, data } = toRgb(picture);
  const [row, stride] = [width * times * 3, canvas.width * 3];
  for (let py = 0; py < height; py++) {
    const from = py * width * 3;
    const first = (y + py * times) * stride + x * 3;
    for (let i = 0, to = first; i < width * 3; i += 3)
      for (let repeat = 0; repeat < times; repeat++)
        for (let c = 0; c < 3; c++, to++) canvas.data[to] = data[from + i + c];
    for (let repeat = 1; repeat < times; repeat++) canvas.data.copyWithin(first + repeat * stride, first, first + row);
  }
}

/** Draws the outline of a region, `thick` pixels wide, just outside it, clipped to the canvas. */
export function frame(canvas: Picture, { x, y, width, height }: Region, colour: Ink, thick = 1): void {
  const fill = (left: number, top: number, right: number, bottom: number) => {
    const [from, to] = [Math.max(0, left), Math.min(canvas.width, right)];
    for (let py = Math.max(0, top); py < Math.min(canvas.height, bottom); py++) {
      const row = py * canvas.width;
      if (from < to) fillSpan(canvas.data, (row + from) * 3, (row + to) * 3, colour);
    }
  };
  const [left, right] = [x - thick, x + width + thick];
  fill(left, y - thick, right, y);
  fill(left, y + height, right, y + height + thick);
  fill(left, y, x, y + height);
  fill(x + width, y, right, y + height);
}

/** Draws pictures and frames onto a larger picture. */

import { createPicture, type Picture, toRgb } from '../image/picture.ts';
import type { Region } from './comparison-region.ts';
import type { Ink } from './lettering.ts';

/** An RGB picture of one colour. */
export function canvasOf(width: number, height: number, colour: Ink): Picture {
  const canvas = createPicture(width, height, 3);
  for (let at = 0; at < canvas.data.length; at += 3) canvas.data.set(colour, at);
  return canvas;
}

/** Draws `picture` (grey is repeated, alpha dropped) at (x, y), each pixel as a square of `times`×`times`. */
export function place(canvas: Picture, picture: Picture, x: number, y: number, times = 1): void {
  const { width, height, data } = toRgb(picture);
  for (let py = 0; py < height * times; py++) {
    const from = Math.floor(py / times) * width * 3;
    const to = ((y + py) * canvas.width + x) * 3;
    for (let px = 0; px < width * times; px++) {
      const at = from + Math.floor(px / times) * 3;
      for (let c = 0; c < 3; c++) canvas.data[to + px * 3 + c] = data[at + c];
    }
  }
}

/** Draws the outline of a region, `thick` pixels wide, just outside it, clipped to the canvas. */
export function frame(canvas: Picture, { x, y, width, height }: Region, colour: Ink, thick = 1): void {
  const fill = (left: number, top: number, right: number, bottom: number) => {
    for (let py = Math.max(0, top); py < Math.min(canvas.height, bottom); py++) {
      for (let px = Math.max(0, left); px < Math.min(canvas.width, right); px++) {
        canvas.data.set(colour, (py * canvas.width + px) * 3);
      }
    }
  };
  const [left, right] = [x - thick, x + width + thick];
  fill(left, y - thick, right, y);
  fill(left, y + height, right, y + height + thick);
  fill(left, y, x, y + height);
  fill(x + width, y, right, y + height);
}

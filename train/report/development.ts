/** How one part of a picture came to look as it does: after these many updates, those many … (the paper's figure 8). */
import { canvasOf, frame, place } from '../../eval/comparison-canvas.ts';
import { mostTellingRegion, type Region } from '../../eval/comparison-region.ts';
import { drawText, fitText, type Ink, LINE_HEIGHT } from '../../eval/lettering.ts';
import type { Picture } from '../../image/picture.ts';

/** A column of the strip: all pictures are of the same part, equally large. */
export interface Stage {
  readonly label: string;
  readonly picture: Picture;
}

/** Side of the part, in pixels of the original; a multiple of 4. */
const SIDE = 96;
/** Stages between the first and the last that are shown at most. */
const MOST = 8;
const PAPER: Ink = [255, 255, 255];
const EDGE: Ink = [215, 215, 215];
const MARGIN = 16;
const GUTTER = 10;
const TIMES = 2;

/** The part to show: where an interpolation misses most. The same for the same picture. */
export function partOf(interpolated: Picture, original: Picture): Region {
  const side = (length: number) => Math.min(SIDE, Math.floor(length / 4) * 4);
  return mostTellingRegion(interpolated, original, side(original.width), side(original.height), 4);
}

/** Evenly spread ones of too many, the last of all among them. */
export function spread<T>(all: readonly T[], most = MOST): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.round(((i + 1) * all.length) / most) - 1]!);
}

/** The strip, left to right. White, RGB; the same stages give the same bytes. */
export function developmentPicture(stages: readonly Stage[]): Picture {
  const width = Math.max(...stages.map(({ picture }) => picture.width)) * TIMES;
  const height = Math.max(...stages.map(({ picture }) => picture.height)) * TIMES;
  const canvas = canvasOf(
    2 * MARGIN + stages.length * (width + GUTTER) - GUTTER,
    2 * MARGIN + height + LINE_HEIGHT,
    PAPER,
  );
  stages.forEach(({ label, picture }, i) => {
    const x = MARGIN + i * (width + GUTTER);
    place(canvas, picture, x, MARGIN, TIMES);
    frame(canvas, { x, y: MARGIN, width: picture.width * TIMES, height: picture.height * TIMES }, EDGE);
    drawText(canvas, fitText(label, width), x, MARGIN + height + 8);
  });
  return canvas;
}

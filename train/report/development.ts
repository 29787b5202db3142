/** Draws a region of a picture after increasing numbers of updates, as in figure 8 of the paper. */
import { canvasOf, frame, place } from '../../eval/comparison-canvas.ts';
import { mostTellingRegion, type Region } from '../../eval/comparison-region.ts';
import { drawText, fitText, type Ink, LINE_HEIGHT } from '../../eval/lettering.ts';
import type { Picture } from '../../image/picture.ts';

/** A column of the strip. All pictures show the same region in the same size. */
export interface Stage {
  readonly label: string;
  readonly picture: Picture;
}

/** Width and height of the region in HR pixels; a multiple of 4. */
const SIDE = 96;
/** Maximum number of samples in the strip. */
const MAX_SAMPLES = 8;
const PAPER: Ink = [255, 255, 255];
const EDGE: Ink = [215, 215, 215];
const MARGIN = 16;
const GUTTER = 10;
const SCALE = 2;

/** The region to show: where an interpolation differs most from the original. Depends on the picture only. */
export function shownRegion(interpolated: Picture, original: Picture): Region {
  const side = (length: number) => Math.min(SIDE, Math.floor(length / 4) * 4);
  return mostTellingRegion(interpolated, original, side(original.width), side(original.height), 4);
}

/** At most `most` evenly spaced elements, including the last one. */
export function evenlySpaced<T>(all: readonly T[], most = MAX_SAMPLES): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.round(((i + 1) * all.length) / most) - 1]!);
}

/** Draws the stages from left to right on white, in RGB. The same stages give the same bytes. */
export function developmentPicture(stages: readonly Stage[]): Picture {
  const width = Math.max(...stages.map(({ picture }) => picture.width)) * SCALE;
  const height = Math.max(...stages.map(({ picture }) => picture.height)) * SCALE;
  const canvas = canvasOf(
    2 * MARGIN + stages.length * (width + GUTTER) - GUTTER,
    2 * MARGIN + height + LINE_HEIGHT,
    PAPER,
  );
  stages.forEach(({ label, picture }, i) => {
    const x = MARGIN + i * (width + GUTTER);
    place(canvas, picture, x, MARGIN, SCALE);
    frame(canvas, { x, y: MARGIN, width: picture.width * SCALE, height: picture.height * SCALE }, EDGE);
    drawText(canvas, fitText(label, width), x, MARGIN + height + 8);
  });
  return canvas;
}

/** Draws lines of text into pictures, without a canvas or font files. */

import type { Picture } from '../image/picture.ts';
import { BLANK_WIDTH, DIGIT_WIDTH, STROKES, UNKNOWN } from './lettering-glyphs.ts';

export type Ink = readonly [number, number, number];

export interface Lettering {
  /** Pixels per unit; capitals are 10 units high. Default 1; sharpest at integers. */
  readonly scale?: number;
  /** Default false. */
  readonly bold?: boolean;
  /** sRGB, 0…255. Default nearly black. */
  readonly ink?: Ink;
}

/** Line height in units. */
export const LINE_HEIGHT = 18;

const INK: Ink = [26, 26, 26];
/** Thickness of the pen in units. */
const REGULAR = 1.3;
const BOLD = 2.1;
/** Distance between the centre lines of adjacent glyphs: integers, for even spacing. */
const SPACING = { regular: 3, bold: 4 };
/** Largest distance from a rounded corner at which its curve begins, in units. */
const ROUNDING = 3.5;
/** How far glyphs extend above and below the capitals' top, including the pen, in units. */
const ABOVE = 4;
const BELOW = 16;

type Point = readonly [number, number];

/** Line segments x0, y0, x1, y1, in units. */
type Pieces = Float64Array;

interface Corner {
  readonly at: Point;
  readonly rounded: boolean;
}

function parse(stroke: string): Corner[] {
  return stroke.split(' ').map(text => {
    const [x, y] = text.replace('r', '').split(',').map(Number);
    return { at: [x, y], rounded: text.endsWith('r') };
  });
}

const between = ([ax, ay]: Point, [bx, by]: Point, t: number): Point => [ax + (bx - ax) * t, ay + (by - ay) * t];
const distance = ([ax, ay]: Point, [bx, by]: Point) => Math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay));

/** Where the curve ends, as a fraction of the way from `corner` to its neighbour. */
function leg(corner: Corner, neighbour: Corner): number {
  const length = distance(corner.at, neighbour.at);
  return Math.min(ROUNDING, neighbour.rounded ? length / 2 : length) / length;
}

/** The stroke's points, with curves as eight line segments. */
function flatten(corners: readonly Corner[]): Point[] {
  const points: Point[] = [];
  corners.forEach((corner, i) => {
    if (!corner.rounded) {
      points.push(corner.at);
      return;
    }
    const [before, after] = [corners[i - 1], corners[i + 1]];
    const start = between(corner.at, before.at, leg(corner, before));
    const end = between(corner.at, after.at, leg(corner, after));
    // A quarter of an ellipse as a cubic Bézier curve.
    const [first, second] = [between(start, corner.at, 0.5523), between(end, corner.at, 0.5523)];
    for (let k = 0; k <= 8; k++) {
      const t = k / 8;
      const [a, b, c] = [between(start, first, t), between(first, second, t), between(second, end, t)];
      points.push(between(between(a, b, t), between(b, c, t), t));
    }
  });
  return points;
}

interface Glyph {
  readonly pieces: Pieces;
  /** Ends of the centre lines, in units. */
  readonly left: number;
  readonly right: number;
  /** The width that the glyph occupies between them. */
  readonly width: number;
}

const glyphs = new Map<string, Glyph>();

function glyphOf(character: string): Glyph {
  const known = glyphs.get(character);
  if (known) return known;
  const strokes = (STROKES[character] ?? UNKNOWN).split(';').map(stroke => flatten(parse(stroke)));
  const across = strokes.flat().map(([x]) => x);
  const [left, right] = [Math.min(0, ...across), Math.max(0, ...across)];
  const pieces = strokes.flatMap(points => points.slice(1).flatMap((point, i) => [...points[i], ...point]));
  const digit = character >= '0' && character <= '9';
  const glyph = { pieces: Float64Array.from(pieces), left, right, width: digit ? DIGIT_WIDTH : right - left };
  glyphs.set(character, glyph);
  return glyph;
}

/** Strips accents, which are not drawn. */
const plain = (text: string) => [...text.normalize('NFD').replace(/\p{Mn}/gu, '')];

/** Units from a glyph's origin to the next glyph's. */
function advance(character: string, bold: boolean): number {
  return (character === ' ' ? BLANK_WIDTH : glyphOf(character).width) + (bold ? SPACING.bold : SPACING.regular);
}

/** Width of a line of text in pixels. */
export function textWidth(text: string, { scale = 1, bold = false }: Lettering = {}): number {
  const units = plain(text).reduce((sum, character) => sum + advance(character, bold), 0);
  if (units === 0) return 0;
  return Math.ceil((units - (bold ? SPACING.bold - BOLD : SPACING.regular - REGULAR)) * scale);
}

/** Truncates the text to `width` pixels with '…' if it is too long. */
export function fitText(text: string, width: number, lettering: Lettering = {}): string {
  if (textWidth(text, lettering) <= width) return text;
  const characters = [...text];
  while (characters.length > 0) {
    characters.pop();
    const shortened = `${characters.join('').trimEnd()}…`;
    if (textWidth(shortened, lettering) <= width) return shortened;
  }
  return '';
}

/** Wraps a text into lines of at most `width` pixels. A longer word gets its own line. */
export function wrapText(text: string, width: number, lettering: Lettering = {}): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && textWidth(longer, lettering) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A glyph's pixel coverage 0…1, relative to its origin: `data[(y - top) · width + x - left]`. */
interface Mask {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Squared distance in pixels from (x, y) to the nearest of the centre lines. */
function nearest(pieces: Pieces, x: number, y: number, scale: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < pieces.length; i += 4) {
    const [x0, y0] = [pieces[i] * scale, pieces[i + 1] * scale];
    const [dx, dy] = [pieces[i + 2] * scale - x0, pieces[i + 3] * scale - y0];
    const square = dx * dx + dy * dy;
    const along = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / square));
    const [ox, oy] = [x - x0 - along * dx, y - y0 - along * dy];
    least = Math.min(least, ox * ox + oy * oy);
  }
  return least;
}

const masks = new Map<string, Mask>();

function maskOf(character: string, scale: number, bold: boolean): Mask {
  const key = `${character} ${scale} ${bold}`;
  const known = masks.get(key);
  if (known) return known;
  const { pieces, left: leftmost, right: rightmost } = glyphOf(character);
  const pen = (bold ? BOLD : REGULAR) * scale;
  const [left, top] = [Math.floor((leftmost - 2) * scale), Math.floor(-ABOVE * scale)];
  const width = Math.ceil((rightmost + 2) * scale) - left + 1;
  const height = Math.ceil(BELOW * scale) - top + 1;
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Vertically, integer units are at pixel centres; horizontally, the origin is.
      const far = Math.sqrt(nearest(pieces, left + x, top + y, scale));
      data[y * width + x] = Math.min(1, Math.max(0, pen / 2 + 0.5 - far));
    }
  }
  const mask = { left, top, width, height, data };
  masks.set(key, mask);
  return mask;
}

function blend(picture: Picture, { left, top, width, height, data }: Mask, x: number, y: number, ink: Ink): void {
  for (let row = Math.max(0, -y - top); row < Math.min(height, picture.height - y - top); row++) {
    for (let column = Math.max(0, -x - left); column < Math.min(width, picture.width - x - left); column++) {
      const covered = data[row * width + column];
      if (covered === 0) continue;
      const at = ((y + top + row) * picture.width + x + left + column) * 3;
      for (let c = 0; c < 3; c++) {
        const ground = picture.data[at + c];
        picture.data[at + c] = Math.round(ground + covered * (ink[c] - ground));
      }
    }
  }
}

/**
 * Draws one line into an RGB picture, in place, clipped to the picture. Characters without a glyph appear as boxes;
 * accents are dropped.
 * @param x left edge of the first glyph, in whole pixels
 * @param y top of the capitals, in whole pixels
 */
export function drawText(picture: Picture, text: string, x: number, y: number, lettering: Lettering = {}): void {
  const { scale = 1, bold = false, ink = INK } = lettering;
  const pen = (bold ? BOLD : REGULAR) * scale;
  let origin = Math.round(x) + Math.round((pen - 1) / 2);
  for (const character of plain(text)) {
    if (character !== ' ') {
      const from = Math.round(origin - glyphOf(character).left * scale);
      blend(picture, maskOf(character, scale, bold), from, Math.round(y), ink);
    }
    origin += advance(character, bold) * scale;
  }
}

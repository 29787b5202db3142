/**
 * The figure that papers show of a picture: the whole original with a crop marked, and beside it the crop of every method,
 * enlarged, with its name and the scores of the whole picture.
 */

import { ImageError } from '../image/errors.ts';
import { type Picture, toRgb } from '../image/picture.ts';
import { resize } from '../image/resize.ts';
import type { ComparisonRow } from './comparison.ts';
import { canvasOf, frame, place } from './comparison-canvas.ts';
import { cropRegion, type Region } from './comparison-region.ts';
import { drawText, fitText, type Ink, type Lettering, LINE_HEIGHT, textWidth, wrapText } from './lettering.ts';
import { decimals, PROTOCOLS, type Protocol, quality } from './protocols.ts';

export interface CropFigureOptions {
  /** The crop, in pixels of the original. */
  readonly crop: Region;
  /** Magnification of the crops. Default: 4. */
  readonly zoom?: number;
  /** Longest side of the whole original; larger ones are shrunk. Default: 480. */
  readonly longest?: number;
  /** Protocol of the scores. Default: matlab. */
  readonly protocol?: Protocol;
}

const PAPER: Ink = [255, 255, 255];
const MARK: Ink = [255, 128, 0];
const QUIET: Lettering = { ink: [105, 105, 105] };
const STRONG: Lettering = { bold: true };

const MARGIN = 24;
const GUTTER = 12;
/** Lines below a crop: name, scores. */
const CAPTION = 2 * LINE_HEIGHT + 8;

interface Cell {
  readonly label: string;
  readonly figures: string;
  readonly best: boolean;
  readonly picture: Picture;
}

/**
 * Draws the figure. RGB on white; the same input gives the same bytes.
 * @throws ImageError for a crop that is not inside the original, or pictures that cannot be scored.
 */
export function cropFigure(row: ComparisonRow, options: CropFigureOptions): Picture {
  const { crop, zoom = 4, longest = 480, protocol = 'matlab' } = options;
  const { name, hr } = row;
  checkCrop(name, hr, crop);
  const cells = cellsOf(row, crop, protocol);
  const whole = fitted(hr, longest);
  const scale = whole.width / hr.width;

  const rows = cells.length > 2 ? 2 : 1;
  const columns = Math.ceil(cells.length / rows);
  const [cropWidth, cropHeight] = [crop.width * zoom, crop.height * zoom];
  const widest = Math.max(
    ...cells.flatMap(({ label, figures }) => [textWidth(label, STRONG), textWidth(figures, STRONG)]),
  );
  const column = Math.max(cropWidth, widest);
  const grid = { width: columns * column + (columns - 1) * GUTTER, height: rows * (cropHeight + CAPTION) + GUTTER };
  const inner = { width: whole.width + 2 * GUTTER + grid.width, height: Math.max(whole.height + CAPTION, grid.height) };
  const footnote = wrapText(`${PROTOCOLS[protocol]}; scores of the whole picture, best in bold.`, inner.width, QUIET);

  const canvas = canvasOf(
    inner.width + 2 * MARGIN,
    inner.height + 2 * MARGIN + footnote.length * LINE_HEIGHT + GUTTER,
    PAPER,
  );
  place(canvas, whole, MARGIN, MARGIN);
  frame(canvas, markOf(crop, scale), MARK, 2);
  const title = `${name}, crop ${crop.width}×${crop.height} at (${crop.x}, ${crop.y})`;
  drawText(canvas, fitText(title, whole.width, QUIET), MARGIN, MARGIN + whole.height + 8, QUIET);
  for (const [i, { label, figures, best, picture }] of cells.entries()) {
    const x = MARGIN + whole.width + 2 * GUTTER + (i % columns) * (column + GUTTER);
    const y = MARGIN + Math.floor(i / columns) * (cropHeight + CAPTION + GUTTER);
    place(canvas, picture, x, y, zoom);
    drawText(canvas, fitText(label, column, STRONG), x, y + cropHeight + 6, STRONG);
    drawText(canvas, fitText(figures, column, STRONG), x, y + cropHeight + 6 + LINE_HEIGHT, best ? STRONG : {});
  }
  footnote.forEach((line, i) => {
    drawText(canvas, line, MARGIN, MARGIN + inner.height + GUTTER + i * LINE_HEIGHT, QUIET);
  });
  return canvas;
}

/** @throws ImageError if the crop is empty or not inside the picture. */
export function checkCrop(name: string, { width, height }: Picture, { x, y, ...size }: Region): void {
  const whole = [x, y, size.width, size.height].every(Number.isInteger) && Math.min(x, y) >= 0;
  if (whole && size.width > 0 && size.height > 0 && x + size.width <= width && y + size.height <= height) return;
  throw new ImageError(
    name,
    `--crop: expected a rectangle inside ${width}x${height} pixels, got ${size.width}x${size.height} at (${x}, ${y})`,
  );
}

function cellsOf({ hr, results }: ComparisonRow, crop: Region, protocol: Protocol): Cell[] {
  const scored = results.map(({ picture }) => quality(picture, hr, protocol));
  const highest = Math.max(...scored.map(({ psnr }) => psnr));
  return [
    ...results.map(({ label, picture }, i) => ({
      label,
      figures: `${decimals(scored[i].psnr, 2)} dB / ${scored[i].ssim.toFixed(4)}`,
      best: scored[i].psnr === highest,
      picture: cropRegion(picture, crop),
    })),
    { label: 'original', figures: 'PSNR / SSIM', best: false, picture: cropRegion(hr, crop) },
  ];
}

/** The picture with sides up to `longest`. */
function fitted(picture: Picture, longest: number): Picture {
  const scale = longest / Math.max(picture.width, picture.height);
  if (scale >= 1) return toRgb(picture);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resize(toRgb(picture), { width: side(picture.width), height: side(picture.height) });
}

const markOf = ({ x, y, width, height }: Region, scale: number): Region => ({
  x: MARGIN + Math.round(x * scale),
  y: MARGIN + Math.round(y * scale),
  width: Math.max(1, Math.round(width * scale)),
  height: Math.max(1, Math.round(height * scale)),
});

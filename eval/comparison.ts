/** Draws LR, results and original side by side in one labelled picture. */

import { ImageError } from '../image/errors.ts';
import { describe, type Picture } from '../image/picture.ts';
import { canvasOf, frame, place } from './comparison-canvas.ts';
import { cropRegion, mostTellingRegion, type Region, regionSize } from './comparison-region.ts';
import type { Pair } from './evaluate.ts';
import { drawText, fitText, type Ink, type Lettering, LINE_HEIGHT, textWidth, wrapText } from './lettering.ts';
import { decimals, PROTOCOLS, type Protocol, type Quality, quality } from './protocols.ts';

/** An original, its LR, and the methods' results. */
export interface ComparisonRow extends Pair {
  /** From left to right, each of the original's size. */
  readonly results: readonly { readonly label: string; readonly picture: Picture }[];
}

/** Options of {@link comparisonPicture}. */
export interface ComparisonOptions {
  /** One large line at the top. */
  readonly heading?: string;
  /** One smaller line below it, for example how the model was trained. */
  readonly note?: string;
  /** Protocol of the scores under the pictures. Default: matlab. */
  readonly protocol?: Protocol;
  /**
   * Longest side shown, in pixels of the original. Larger originals are cropped to the region where the first and the
   * last result differ most; smaller ones are enlarged by an integer. Default: 320.
   */
  readonly longest?: number;
  /**
   * Magnification of a detail below each picture; its sides are 1/zoom of the picture's. Default: 1, no detail.
   */
  readonly zoom?: number;
}

const PAPER: Ink = [255, 255, 255];
const QUIET: Lettering = { ink: [105, 105, 105] };
const STRONG: Lettering = { bold: true };
const HEADING: Lettering = { bold: true, scale: 2 };
const EDGE: Ink = [215, 215, 215];
const MARK: Ink = [255, 128, 0];

const MARGIN = 24;
const GUTTER = 12;
const ROW_GAP = 18;
/** From a picture to the top of its caption. */
const CAPTION_GAP = 10;
const NARROWEST_COLUMN = 132;

/** One picture of a row with its captions. */
interface Panel {
  readonly picture: Picture;
  /** Each pixel is drawn as a square of this side. */
  readonly times: number;
  readonly detail: { readonly picture: Picture; readonly times: number; readonly frame: Region } | undefined;
  readonly label: string;
  readonly figures: string;
  readonly best: boolean;
}

interface Line {
  readonly title: string;
  readonly cut: boolean;
  readonly panels: readonly Panel[];
  /** Width of each panel with its captions, in pixels. */
  readonly columns: readonly number[];
}

const sizeOf = ({ width, height }: Picture) => `${width}×${height}`;

/** The scale from LR to original. @throws ImageError if the sizes in the row do not match. */
export function factorOf({ name, lr, hr, results }: ComparisonRow): number {
  const factor = hr.width / lr.width;
  if (!Number.isInteger(factor) || lr.height * factor !== hr.height) {
    throw new ImageError(name, `expected an original that is a whole multiple of ${describe(lr)}, got ${describe(hr)}`);
  }
  for (const { label, picture } of results) {
    if (picture.width !== hr.width || picture.height !== hr.height) {
      throw new ImageError(name, `${label}: expected ${describe(hr)}, got ${describe(picture)}`);
    }
  }
  return factor;
}

/** The pictures that decide the region: the first and the last result, or the only result and the original. */
function contenders({ hr, results }: ComparisonRow): [Picture, Picture] {
  const first = results[0]?.picture ?? hr;
  return [first, results.length > 1 ? results[results.length - 1].picture : hr];
}

function lineOf(row: ComparisonRow, { protocol = 'matlab', longest = 320, zoom = 1 }: ComparisonOptions): Line {
  const { name, lr, hr, results } = row;
  const factor = factorOf(row);
  const [first, last] = contenders(row);
  const size = regionSize(hr, longest, factor);
  const region = mostTellingRegion(first, last, size.width, size.height, factor);
  const cut = size.width < hr.width || size.height < hr.height;
  const enlarged = Math.max(1, Math.floor(longest / Math.max(size.width, size.height)));

  const part = (side: number) => Math.max(factor, Math.floor(side / zoom / factor) * factor);
  const within =
    zoom > 1
      ? mostTellingRegion(
          cropRegion(first, region),
          cropRegion(last, region),
          part(size.width),
          part(size.height),
          factor,
        )
      : undefined;

  const panel = (label: string, whole: Picture, shrunk: number, figures: string, best = false): Panel => {
    const picture = cropRegion(whole, region, shrunk);
    const times = shrunk * enlarged;
    const detail = within && {
      picture: cropRegion(picture, within, shrunk),
      times: times * zoom,
      frame: magnified(within, enlarged),
    };
    return { picture, times, detail, label, figures, best };
  };
  const scored: Quality[] = results.map(({ picture }) => quality(picture, hr, protocol));
  const highest = Math.max(...scored.map(({ psnr }) => psnr));
  const title = cut ? `${name}, ${size.width}×${size.height} pixels at (${region.x}, ${region.y})` : name;
  const panels = [
    panel('LR', lr, factor, `${sizeOf(lr)} pixels`),
    ...results.map(({ label, picture }, i) => {
      const { psnr, ssim } = scored[i];
      return panel(label, picture, 1, `${decimals(psnr, 2)} dB / ${ssim.toFixed(4)}`, psnr === highest);
    }),
    panel('original', hr, 1, `${sizeOf(hr)} pixels`),
  ];
  const columns = panels.map(one =>
    Math.max(NARROWEST_COLUMN, widthOf(one), textWidth(one.label, STRONG), textWidth(one.figures, STRONG)),
  );
  return { title, cut, panels, columns };
}

const magnified = ({ x, y, width, height }: Region, n: number): Region => ({
  x: x * n,
  y: y * n,
  width: width * n,
  height: height * n,
});

const widthOf = ({ picture, times }: Panel) => picture.width * times;
const heightOf = ({ picture, times }: Panel) => picture.height * times;
const detailHeight = ({ detail }: Panel) => (detail ? GUTTER + detail.picture.height * detail.times : 0);
const lineHeight = ({ panels: [panel] }: Line) =>
  LINE_HEIGHT + heightOf(panel) + detailHeight(panel) + CAPTION_GAP + 2 * LINE_HEIGHT;

function drawPanel(canvas: Picture, panel: Panel, x: number, y: number, room: number): void {
  const { picture, times, detail } = panel;
  place(canvas, picture, x, y, times);
  frame(canvas, { x, y, width: widthOf(panel), height: heightOf(panel) }, EDGE);
  let below = y + heightOf(panel);
  if (detail) {
    frame(canvas, { ...detail.frame, x: x + detail.frame.x, y: y + detail.frame.y }, MARK, 2);
    const [width, height] = [detail.picture.width * detail.times, detail.picture.height * detail.times];
    place(canvas, detail.picture, x, below + GUTTER, detail.times);
    frame(canvas, { x, y: below + GUTTER, width, height }, MARK, 2);
    below += GUTTER + height;
  }
  const text = (line: number, words: string, lettering: Lettering) =>
    drawText(canvas, fitText(words, room, lettering), x, below + CAPTION_GAP + line * LINE_HEIGHT, lettering);
  text(0, panel.label, STRONG);
  text(1, panel.figures, panel.best ? STRONG : {});
}

function footnotes(lines: readonly Line[], protocol: Protocol): string {
  const cut = lines.some(line => line.cut)
    ? ' Figures are of whole pictures, of which the part is shown where the first and the last result differ most.'
    : '';
  return `${PROTOCOLS[protocol]}; best in bold.${cut}`;
}

/** Draws heading and note below the top margin, if there is a canvas. Returns their height. */
function drawHead(canvas: Picture | undefined, { heading, note }: ComparisonOptions, room: number): number {
  let height = 0;
  for (const [text, lettering, lines] of [
    [heading, HEADING, 2],
    [note, QUIET, 1],
  ] as const) {
    if (!text) continue;
    if (canvas) drawText(canvas, fitText(text, room, lettering), MARGIN, MARGIN + height, lettering);
    height += lines * LINE_HEIGHT;
  }
  return height === 0 ? 0 : height + 10;
}

/**
 * One row per picture: LR (each pixel a square), the results, the original; below them names and PSNR / SSIM of the
 * whole picture. RGB on white. The same input gives the same bytes.
 * @throws ImageError if there are no rows, the sizes in a row do not match, or a picture is too small to score.
 */
export function comparisonPicture(rows: readonly ComparisonRow[], options: ComparisonOptions = {}): Picture {
  const { protocol = 'matlab', longest = 320, zoom = 1 } = options;
  if (rows.length === 0) throw new ImageError('comparison', 'no pictures to compare: expected at least one row');
  if (!(longest >= 16 && Number.isInteger(longest) && zoom >= 1 && Number.isInteger(zoom))) {
    throw new ImageError(
      'comparison',
      `expected integers for longest (from 16) and zoom (from 1), got ${longest} and ${zoom}`,
    );
  }
  const lines = rows.map(row => lineOf(row, options));
  const room = Math.max(
    ...lines.map(({ columns }) => columns.reduce((sum, width) => sum + width, GUTTER * (columns.length - 1))),
  );
  const small = wrapText(footnotes(lines, protocol), room, QUIET);
  const body = lines.reduce((sum, line) => sum + lineHeight(line) + ROW_GAP, 0);
  const height = 2 * MARGIN + drawHead(undefined, options, room) + body + small.length * LINE_HEIGHT;
  const canvas = canvasOf(room + 2 * MARGIN, height, PAPER);
  let y = MARGIN + drawHead(canvas, options, room);
  for (const line of lines) {
    drawText(canvas, fitText(line.title, room, QUIET), MARGIN, y, QUIET);
    let x = MARGIN;
    line.panels.forEach((panel, i) => {
      drawPanel(canvas, panel, x, y + LINE_HEIGHT, line.columns[i]);
      x += line.columns[i] + GUTTER;
    });
    y += lineHeight(line) + ROW_GAP;
  }
  small.forEach((words, i) => {
    drawText(canvas, words, MARGIN, y + i * LINE_HEIGHT, QUIET);
  });
  return canvas;
}

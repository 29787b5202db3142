/**
 * Edge-directed interpolation: bilinear interpolation that does not cross edges, whose input is corrected until the
 * result, averaged in blocks, gives the picture again.
 *
 * Allebach & Wong, "Edge-Directed Interpolation", ICIP 1996. Neither the authors nor others have published a program.
 * This one follows the paper's outline and the authors' patents (US 5,446,804 and EP 0 677 821): an edge map from the
 * zero crossings of a centre-on-surround-off filter, piecewise linear; new pixels only from given pixels with no edge
 * between; and feedback. What these leave open is ours, and marked so. Figures are of this reading, not of the authors'.
 *
 * By PSNR it is below bicubic: 27.70 against 28.42 dB on Set5, and 27.48 against 28.42 dB if LR pixels are block means, as
 * the feedback assumes. It is the edges that cost: without any, the same feedback gives 28.99 dB.
 */

import type { Plane } from '../image/plane.ts';
import type { LumaMethod, RunControl } from './declaration.ts';
import type { Pass } from './passes.ts';
import { framed, planeFor } from './planes.ts';

const SCALE = 4;

/** Radii of the filter's centre (3×3) and surround (7×7 around it). Ours. */
const [CENTRE, SURROUND] = [1, 3];

/** Difference of the filter's output, in levels, that a crossing between neighbours needs. Ours. */
const LEAST_DIFFERENCE = 8;

/** Below this, the filter's output is the rounding error of 0. */
const ROUNDING = 1e-6;

/** The feedback ends when no block mean is off by this, in levels, or after some rounds. Ours; the patent: "preset". */
const [CLOSE_ENOUGH, MOST_ROUNDS] = [0.5, 10];

/** Options for tests and experiments. */
export interface EdgeOptions {
  /** Default: 8; Infinity: no edges, which makes the interpolation bilinear. */
  readonly leastDifference?: number;
  /** Rounds of feedback. Default: at most 10. */
  readonly rounds?: number;
  /** Called after each rendering with the errors of the block means, [h][w]. */
  readonly onError?: (error: Float64Array) => void;
}

/**
 * The centre-on-surround-off filter: the mean of 3×3 minus the mean of the 40 samples around it in 7×7; edges
 * replicate. 0 on planes.
 */
export function centreSurround(plane: Plane): Float64Array {
  const { width, height, data } = plane;
  const centre = (2 * CENTRE + 1) ** 2;
  const ring = (2 * SURROUND + 1) ** 2 - centre;
  const clamp = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  const out = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [inner, outer] = [0, 0];
      for (let j = -SURROUND; j <= SURROUND; j++) {
        const row = clamp(y + j, height) * width;
        for (let i = -SURROUND; i <= SURROUND; i++) {
          const value = data[row + clamp(x + i, width)];
          if (Math.max(Math.abs(i), Math.abs(j)) <= CENTRE) inner += value;
          else outer += value;
        }
      }
      const difference = inner / centre - outer / ring;
      out[y * width + x] = Math.abs(difference) < ROUNDING ? 0 : difference;
    }
  }
  return out;
}

interface EdgeMap {
  /** The filter's output with one more sample at each side: cell (i, j) has its upper left corner there. */
  readonly response: Float64Array;
  /** Samples in a row of `response`. */
  readonly stride: number;
  readonly leastDifference: number;
  /** Of the result: for each pixel, which corners of its cell lie beyond an edge, as bits (see CORNERS). */
  readonly beyond: Uint8Array;
  readonly width: number;
}

/** Corners of a cell: upper left, upper right, lower right, lower left. Sides: from each to the next. */
const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
] as const;

/** A line through a cell. */
interface Segment {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

/** The edges through one cell. */
class Cell {
  /** Position of the crossing on each side, 0…1 from its first corner; NaN: none. */
  readonly #crossings = new Float64Array(4);
  readonly #segments: Segment[] = [];

  /** Finds the edges between four corners with these outputs of the filter. */
  open(corners: readonly number[], leastDifference: number): void {
    const crossings = this.#crossings;
    let count = 0;
    let weakest = -1;
    for (let side = 0; side < 4; side++) {
      const [a, b] = [corners[side], corners[(side + 1) & 3]];
      const strength = Math.abs(a - b);
      crossings[side] = a * b < 0 && strength > leastDifference ? a / (a - b) : Number.NaN;
      if (Number.isNaN(crossings[side])) continue;
      count++;
      if (weakest < 0 || strength < Math.abs(corners[weakest] - corners[(weakest + 1) & 3])) weakest = side;
    }
    // An edge that ends in a cell separates nothing there, and of three crossings the weakest is such an end (ours).
    if (count % 2 === 1) crossings[weakest] = Number.NaN;
    this.#segments.length = 0;
    if (count < 2) return;
    if (count < 4) {
      const [a, b] = [0, 1, 2, 3].filter(side => !Number.isNaN(crossings[side]));
      this.#join(a, b);
      return;
    }
    // A saddle: corners with the sign of the mean are connected, the others cut off; corner c lies between its sides.
    const mean = corners[0] + corners[1] + corners[2] + corners[3];
    const first = corners[0] > 0 === mean > 0 ? 1 : 0;
    for (const corner of [first, first + 2]) this.#join((corner + 3) & 3, corner);
  }

  #join(sideA: number, sideB: number): void {
    const [ax, ay] = this.#place(sideA);
    const [bx, by] = this.#place(sideB);
    this.#segments.push({ x: ax, y: ay, dx: bx - ax, dy: by - ay });
  }

  /** Where a side is crossed. */
  #place(side: number): readonly [x: number, y: number] {
    const [[ax, ay], [bx, by]] = [CORNERS[side], CORNERS[(side + 1) & 3]];
    const t = this.#crossings[side];
    return [ax + t * (bx - ax), ay + t * (by - ay)];
  }

  /** Bits of the corners that an edge separates from a place in the cell. A place on an edge is on corner 0's side. */
  beyond(x: number, y: number): number {
    let bits = 0;
    for (const segment of this.#segments) {
      const reference = sideOf(segment, 0, 0);
      const own = sideOf(segment, x, y) * reference >= 0;
      for (const [corner, [cx, cy]] of CORNERS.entries()) {
        if (sideOf(segment, cx, cy) * reference > 0 !== own) bits |= 1 << corner;
      }
    }
    return bits;
  }
}

/** Positive on one side of a segment's line, negative on the other. */
const sideOf = ({ x, y, dx, dy }: Segment, px: number, py: number): number => dx * (py - y) - dy * (px - x);

/** The edge map. Items: rows of cells, which begin one row above the picture. */
const EDGES: Pass<EdgeMap> = {
  name: 'edi edges',
  work({ response, stride, leastDifference, beyond, width }, from, to) {
    const cell = new Cell();
    const height = beyond.length / width;
    for (let row = from; row < to; row++) {
      for (let column = 0; column < stride - 1; column++) {
        const at = row * stride + column;
        cell.open([response[at], response[at + 1], response[at + stride + 1], response[at + stride]], leastDifference);
        for (let j = 0; j < SCALE; j++) {
          // The cell's first pixel is two pixels from the middle of its upper left corner's.
          const y = SCALE * row + j - SCALE / 2;
          if (y < 0 || y >= height) continue;
          for (let i = 0; i < SCALE; i++) {
            const x = SCALE * column + i - SCALE / 2;
            if (x < 0 || x >= width) continue;
            beyond[y * width + x] = cell.beyond((i + 0.5) / SCALE, (j + 0.5) / SCALE);
          }
        }
      }
    }
  },
};

interface Rendering extends EdgeMap {
  /** What is interpolated, with MESH_FRAME more samples at each side. */
  readonly mesh: Float64Array;
  readonly meshStride: number;
  readonly result: Float64Array;
}

/** Samples around the mesh: the neighbour of a corner that lies beyond the picture. */
const MESH_FRAME = 2;

/** Interpolates between the corners of a cell that no edge separates from the pixel. */
class Renderer {
  readonly #data: Rendering;
  readonly #values = new Float64Array(4);

  constructor(data: Rendering) {
    this.#data = data;
  }

  /** The level at (x, y) of the cell of this row and column. */
  at(row: number, column: number, x: number, y: number, beyond: number): number {
    const { mesh, meshStride } = this.#data;
    const values = this.#values;
    const at = (row + MESH_FRAME - 1) * meshStride + column + MESH_FRAME - 1;
    values[0] = mesh[at];
    values[1] = mesh[at + 1];
    values[2] = mesh[at + meshStride + 1];
    values[3] = mesh[at + meshStride];
    if (beyond !== 0) this.#replace(row, column, beyond);
    const upper = values[0] + x * (values[1] - values[0]);
    const lower = values[3] + x * (values[2] - values[3]);
    return upper + y * (lower - upper);
  }

  /** Replaces the corners beyond an edge by what the others predict for them. */
  #replace(row: number, column: number, beyond: number): void {
    const values = this.#values;
    const own = [0, 1, 2, 3].filter(corner => ((beyond >> corner) & 1) === 0);
    if (own.length === 3) {
      const lost = [0, 1, 2, 3].find(corner => (beyond >> corner) & 1) ?? 0;
      // The plane through the other three.
      values[lost] = values[(lost + 1) & 3] + values[(lost + 3) & 3] - values[(lost + 2) & 3];
    } else if (own.length === 1) {
      values.fill(values[own[0]]);
    } else if (own[1] - own[0] === 2) {
      // The band of a saddle: the mean of its two corners (ours).
      const mean = (values[own[0]] + values[own[1]]) / 2;
      for (const corner of [own[0] + 1, (own[0] + 3) & 3]) values[corner] = mean;
    } else this.#extend(row, column, own);
  }

  /** Two corners of one side: the line through each and its neighbour outside the cell continues (ours). */
  #extend(row: number, column: number, own: readonly number[]): void {
    const values = this.#values;
    for (const corner of own) {
      values[oppositeOf(corner, own)] = 2 * values[corner] - this.#outside(row, column, corner, own);
    }
  }

  /** The sample behind a corner, seen from the edge; the corner itself if there is another edge between (ours). */
  #outside(row: number, column: number, corner: number, own: readonly number[]): number {
    const { mesh, meshStride, response, stride, leastDifference } = this.#data;
    const [x, y] = CORNERS[corner];
    const [ax, ay] = CORNERS[oppositeOf(corner, own)];
    const [cx, cy] = [column + x, row + y];
    const [ox, oy] = [cx + x - ax, cy + y - ay];
    const height = response.length / stride;
    const inside = ox >= 0 && oy >= 0 && ox < stride && oy < height;
    const here = response[cy * stride + cx];
    const there = inside ? response[oy * stride + ox] : here;
    const separated = here * there < 0 && Math.abs(here - there) > leastDifference;
    const [sx, sy] = separated ? [cx, cy] : [ox, oy];
    return mesh[(sy + MESH_FRAME - 1) * meshStride + sx + MESH_FRAME - 1];
  }
}

/** The corner next to `corner` that is not among `own`. */
function oppositeOf(corner: number, own: readonly number[]): number {
  const next = (corner + 1) & 3;
  return own.includes(next) ? (corner + 3) & 3 : next;
}

/** The picture from the mesh. Items: rows of the result. */
const RENDER: Pass<Rendering> = {
  name: 'edi render',
  work(data, from, to) {
    const { beyond, width, result } = data;
    const renderer = new Renderer(data);
    for (let y = from; y < to; y++) {
      const row = Math.floor((y + SCALE / 2) / SCALE);
      const fy = (y + SCALE / 2 - SCALE * row + 0.5) / SCALE;
      for (let x = 0; x < width; x++) {
        const column = Math.floor((x + SCALE / 2) / SCALE);
        const fx = (x + SCALE / 2 - SCALE * column + 0.5) / SCALE;
        result[y * width + x] = renderer.at(row, column, fx, fy, beyond[y * width + x]);
      }
    }
  },
};

/** Given levels minus the means of the result's blocks. */
function errorsOf({ width, height, data }: Plane, result: Float64Array): Float64Array {
  const out = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < SCALE; j++) {
        const start = ((SCALE * y + j) * width + x) * SCALE;
        for (let i = 0; i < SCALE; i++) sum += result[start + i];
      }
      out[y * width + x] = data[y * width + x] - sum / SCALE ** 2;
    }
  }
  return out;
}

/**
 * [h][w] → [4h][4w]. The edge map is that of the given picture in all rounds (ours; it keeps the feedback from changing
 * the edges that it corrects for).
 */
export async function edgeDirected(
  y: Plane,
  { runner, signal, onProgress }: RunControl,
  { leastDifference = LEAST_DIFFERENCE, rounds = MOST_ROUNDS, onError }: EdgeOptions = {},
): Promise<Plane> {
  const { width, height } = y;
  const response = framed({ width, height, data: centreSurround(y) }, 1, 'clamp', runner);
  const result = planeFor(runner, SCALE * width, SCALE * height);
  const map: EdgeMap = {
    response: response.data,
    stride: response.width,
    leastDifference,
    beyond: new Uint8Array(runner.memory(result.data.length)),
    width: result.width,
  };
  await runner.run(EDGES, map, height + 1, { signal });
  const mesh = planeFor(runner, width, height);
  mesh.data.set(y.data);
  for (let round = 0; ; round++) {
    const source = framed(mesh, MESH_FRAME, 'clamp', runner);
    const data = { ...map, mesh: source.data, meshStride: source.width, result: result.data };
    await runner.run(RENDER, data, result.height, { signal });
    onProgress?.(round + 1, rounds + 1);
    const error = errorsOf(y, result.data);
    onError?.(error);
    if (round >= rounds || error.every(one => Math.abs(one) < CLOSE_ENOUGH)) break;
    for (let i = 0; i < error.length; i++) mesh.data[i] += error[i];
  }
  onProgress?.(1, 1);
  return result;
}

export const EDI: LumaMethod = {
  reads: 'luma',
  name: 'edi',
  summary: 'edge-directed interpolation, our reading of the patents: bilinear that stops at edges, with feedback',
  source: 'Allebach & Wong, Edge-Directed Interpolation, 1996; US 5,446,804, EP 0 677 821',
  scale: SCALE,
  reach: 12,
  passes: [EDGES, RENDER],
  run: (y, control) => edgeDirected(y, control),
};

/** The patches of a dictionary that are nearest to a given one: exact, without comparing all numbers of all patches. */

import { diagonalize } from './jacobi.ts';
import type { Runner } from './passes.ts';
import { HIGH, LOW, type PatchDictionary } from './patch-dictionary.ts';

/** Coordinates that are compared first, and stored together. */
const LEAD = 8;

/** Patches compared between two looks at which side is nearer. */
const RUN = 128;

/** Patches that the principal axes are computed from; any axes find the same patches, good ones sooner. */
const SAMPLE = 10_000;

/** A dictionary prepared for searching, for passes. Low patches are in the coordinates of their principal axes. */
export interface SearchIndex {
  readonly count: number;
  /** [49][49]: rows are the principal axes, by falling variance. Rotations keep distances. */
  readonly axes: Float64Array;
  /** [count][8], sorted by the first coordinate. */
  readonly lead: Float32Array;
  /** [count][41]. */
  readonly rest: Float32Array;
  /** [count][25]. */
  readonly high: Float32Array;
  /** [count]: positions in the dictionary; of equally near patches the first in the dictionary is taken. */
  readonly position: Int32Array;
}

/** Indices of each runner. They take as much memory as the dictionary. */
const indices = new WeakMap<Runner, WeakMap<PatchDictionary, SearchIndex>>();

/** The index of a dictionary in a runner's memory; made once. */
export function searchIndexOf(dictionary: PatchDictionary, runner: Runner): SearchIndex {
  const own = indices.get(runner) ?? new WeakMap<PatchDictionary, SearchIndex>();
  indices.set(runner, own);
  const index = own.get(dictionary) ?? makeIndex(dictionary, runner);
  own.set(dictionary, index);
  return index;
}

function makeIndex({ count, low, high }: PatchDictionary, runner: Runner): SearchIndex {
  const axes = principalAxes(low, count);
  const floats = (length: number) => new Float32Array(runner.memory(4 * Math.max(1, length)), 0, length);
  const coordinates = new Float32Array(count * LOW);
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < LOW; axis++) {
      let sum = 0;
      for (let k = 0; k < LOW; k++) sum += axes[axis * LOW + k] * low[i * LOW + k];
      coordinates[i * LOW + axis] = sum;
    }
  }
  const order = Int32Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => coordinates[a * LOW] - coordinates[b * LOW] || a - b);
  const shared = {
    axes: new Float64Array(runner.memory(axes.byteLength)),
    lead: floats(count * LEAD),
    rest: floats(count * (LOW - LEAD)),
    high: floats(count * HIGH),
    position: new Int32Array(runner.memory(4 * Math.max(1, count)), 0, count),
  };
  shared.axes.set(axes);
  shared.position.set(order);
  for (const [at, from] of order.entries()) {
    const start = from * LOW;
    shared.lead.set(coordinates.subarray(start, start + LEAD), at * LEAD);
    shared.rest.set(coordinates.subarray(start + LEAD, start + LOW), at * (LOW - LEAD));
    shared.high.set(high.subarray(from * HIGH, (from + 1) * HIGH), at * HIGH);
  }
  return { count, ...shared };
}

/** [49][49]: the eigenvectors of the second moments as rows, by falling eigenvalue. */
function principalAxes(low: Float32Array, count: number): Float64Array {
  const moments = new Float64Array(LOW * LOW);
  const step = Math.max(1, Math.floor(count / SAMPLE));
  for (let i = 0; i < count; i += step) {
    const patch = low.subarray(i * LOW, (i + 1) * LOW);
    for (let a = 0; a < LOW; a++) for (let b = a; b < LOW; b++) moments[a * LOW + b] += patch[a] * patch[b];
  }
  for (let a = 0; a < LOW; a++) for (let b = 0; b < a; b++) moments[a * LOW + b] = moments[b * LOW + a];
  const vectors = new Float64Array(LOW * LOW);
  diagonalize(moments, vectors, LOW);
  const byVariance = Array.from({ length: LOW }, (_, i) => i);
  byVariance.sort((a, b) => moments[b * LOW + b] - moments[a * LOW + a] || a - b);
  const axes = new Float64Array(LOW * LOW);
  for (const [row, axis] of byVariance.entries()) {
    for (let k = 0; k < LOW; k++) axes[row * LOW + k] = vectors[k * LOW + axis];
  }
  return axes;
}

/** Finds the patches nearest to a query: |difference of low parts|² + weight · |difference of some high numbers|². */
export class PatchSearch {
  readonly #index: SearchIndex;
  readonly #most: number;
  readonly #query = new Float64Array(LOW);
  /** Patches of the index, nearest first, and their squared distances. */
  readonly found: Int32Array;
  readonly distances: Float64Array;
  /** The number of patches found: `most`, or all. */
  count = 0;
  #weight = 0;
  /** Which of the 25 high numbers are compared, and with what. */
  #places: readonly number[] = [];
  #values: Float64Array = new Float64Array(0);

  /** `most`: the number of patches to find. */
  constructor(index: SearchIndex, most: number) {
    this.#index = index;
    this.#most = most;
    this.found = new Int32Array(most);
    this.distances = new Float64Array(most);
  }

  /**
   * @param low a normalised patch of the middle band.
   * @param weight of the differences between high numbers at `places` and `values`.
   */
  find(
    low: Float64Array,
    weight = 0,
    places: readonly number[] = [],
    values: Float64Array = new Float64Array(0),
  ): void {
    const { count, lead } = this.#index;
    this.count = 0;
    this.#weight = weight;
    this.#places = places;
    this.#values = values;
    this.#rotate(low);
    const first = this.#query[0];
    let right = this.#lowerBound(first);
    let left = right - 1;
    // Away from the query's first coordinate to both sides, the nearer one first, until what follows is farther.
    while (left >= 0 || right < count) {
      const toLeft = left >= 0 ? first - lead[left * LEAD] : Number.POSITIVE_INFINITY;
      const toRight = right < count ? lead[right * LEAD] - first : Number.POSITIVE_INFINITY;
      if (toLeft < toRight) {
        if (toLeft * toLeft > this.#bound()) return;
        const from = Math.max(0, left - RUN + 1);
        this.#visit(from, left + 1);
        left = from - 1;
      } else {
        if (toRight * toRight > this.#bound()) return;
        const to = Math.min(count, right + RUN);
        this.#visit(right, to);
        right = to;
      }
    }
  }

  #rotate(low: Float64Array): void {
    const { axes } = this.#index;
    for (let axis = 0; axis < LOW; axis++) {
      let sum = 0;
      for (let k = 0; k < LOW; k++) sum += axes[axis * LOW + k] * low[k];
      this.#query[axis] = sum;
    }
  }

  /** The first patch whose first coordinate is not below `value`. */
  #lowerBound(value: number): number {
    const { count, lead } = this.#index;
    let [from, to] = [0, count];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (lead[middle * LEAD] < value) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Patches farther than this are not among the nearest. */
  #bound(): number {
    return this.count < this.#most ? Number.POSITIVE_INFINITY : this.distances[this.#most - 1];
  }

  /** Compares the patches `from`…`to` − 1. Terms are never negative, so a partial sum above the bound is enough. */
  #visit(from: number, to: number): void {
    const { lead } = this.#index;
    const query = this.#query;
    const q0 = query[0];
    const q1 = query[1];
    const q2 = query[2];
    const q3 = query[3];
    const q4 = query[4];
    const q5 = query[5];
    const q6 = query[6];
    const q7 = query[7];
    let bound = this.#bound();
    for (let patch = from, at = from * LEAD; patch < to; patch++, at += LEAD) {
      const d0 = q0 - lead[at];
      const d1 = q1 - lead[at + 1];
      const d2 = q2 - lead[at + 2];
      const d3 = q3 - lead[at + 3];
      const half = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3;
      if (half > bound) continue;
      const d4 = q4 - lead[at + 4];
      const d5 = q5 - lead[at + 5];
      const d6 = q6 - lead[at + 6];
      const d7 = q7 - lead[at + 7];
      const all = half + d4 * d4 + d5 * d5 + d6 * d6 + d7 * d7;
      if (all > bound) continue;
      this.#compare(patch, all, bound);
      bound = this.#bound();
    }
  }

  /** Adds the other coordinates and the high numbers to a patch's distance, and keeps it if it is among the nearest. */
  #compare(at: number, lead: number, bound: number): void {
    const { rest, high } = this.#index;
    const query = this.#query;
    let distance = lead;
    const from = at * (LOW - LEAD) - LEAD;
    for (let k = LEAD; k < LOW; k++) {
      const difference = query[k] - rest[from + k];
      distance += difference * difference;
      if ((k & 7) === 7 && distance > bound) return;
    }
    if (distance > bound) return;
    let beside = 0;
    for (let k = 0; k < this.#places.length; k++) {
      const difference = this.#values[k] - high[at * HIGH + this.#places[k]];
      beside += difference * difference;
    }
    this.#insert(at, distance + this.#weight * beside);
  }

  /** Keeps a patch if it is among the nearest. */
  #insert(at: number, distance: number): void {
    const { position } = this.#index;
    const { found, distances } = this;
    const precedes = (i: number) =>
      distance < distances[i] || (distance === distances[i] && position[at] < position[found[i]]);
    let to = this.count;
    if (to === this.#most) {
      if (!precedes(to - 1)) return;
      to--;
    } else this.count++;
    for (; to > 0 && precedes(to - 1); to--) {
      found[to] = found[to - 1];
      distances[to] = distances[to - 1];
    }
    found[to] = at;
    distances[to] = distance;
  }
}

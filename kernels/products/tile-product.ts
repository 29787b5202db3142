/**
 * The inner loop of a GPU matrix product: multiplies two tiles in workgroup memory, while each invocation accumulates a
 * block of the result in registers. The caller fills the tiles (from image patches, weights or a matrix) and stores results.
 *
 * The result has two directions: `across` is contiguous in memory, `down` is the other. A tile holds `depth` values along
 * the inner axis for each element, as consecutive vec4 *slots* for each depth. The caller decides which four elements share
 * a slot, see {@link Order}: loads and stores are contiguous over invocations either way.
 */
import { range } from '../../engine/text/repeat.ts';

/** A workgroup's part of the result, an invocation's part of that, and the inner steps between two barriers. */
export interface Tile {
  readonly across: number;
  readonly down: number;
  /** Elements of an invocation's block: multiples of 4. */
  readonly blockAcross: number;
  readonly blockDown: number;
  readonly depth: number;
}

/**
 * Elements of slot `i` in a direction with `s` slots. `natural`: 4i … 4i + 3, for vec4 loads. `spread`: i, i + s, i + 2s,
 * i + 3s, so that neighbouring invocations load neighbouring scalars.
 */
export type Order = 'natural' | 'spread';

/** WGSL of a tile product. It declares `across`, `down` (workgroup memory), `ix`, `iy`, `sums`. */
export class TileProduct {
  readonly tile: Tile;
  readonly invocations: number;
  /** Slots per direction for one depth. */
  readonly acrossSlots: number;
  readonly downSlots: number;
  /** Slots from one depth to the next. If a tile is filled along the depth, an odd number avoids bank conflicts. */
  readonly acrossPitch: number;
  readonly downPitch: number;

  constructor(tile: Tile, filledAlongDepth: { readonly across: boolean; readonly down: boolean }) {
    this.tile = tile;
    this.acrossSlots = tile.across / 4;
    this.downSlots = tile.down / 4;
    this.acrossPitch = this.acrossSlots + (filledAlongDepth.across ? 1 : 0);
    this.downPitch = this.downSlots + (filledAlongDepth.down ? 1 : 0);
    this.invocations = this.#invocationsAcross * this.#invocationsDown;
  }

  get #invocationsAcross(): number {
    return this.tile.across / this.tile.blockAcross;
  }

  get #invocationsDown(): number {
    return this.tile.down / this.tile.blockDown;
  }

  /** Bytes of workgroup memory. */
  get bytes(): number {
    return 16 * this.tile.depth * (this.acrossPitch + this.downPitch);
  }

  /** Module-scope declarations. */
  get declarations(): string {
    return `var<workgroup> across: array<vec4f, ${this.tile.depth * this.acrossPitch}>;
var<workgroup> down: array<vec4f, ${this.tile.depth * this.downPitch}>;`;
  }

  /** The start of `main`: the invocation's position and its sums, all zero. */
  get begin(): string {
    return `let ix = i32(lane) % ${this.#invocationsAcross}; let iy = i32(lane) / ${this.#invocationsAcross};
  ${this.#names.map(name => `var ${name} = vec4f();`).join(' ')}`;
  }

  /** Adds the tiles' product to the sums. Needs a barrier before (after filling the tiles) and after. */
  get multiply(): string {
    const { blockAcross, blockDown, depth } = this.tile;
    const [slotsAcross, slotsDown] = [range(blockAcross / 4), range(blockDown / 4)];
    const additions = slotsAcross.flatMap(i =>
      range(blockDown).map(
        j => `${this.#name(i, j)} = fma(p${i}, vec4f(q${j >> 2}.${'xyzw'[j & 3]}), ${this.#name(i, j)});`,
      ),
    );
    return `for (var d = 0; d < ${depth}; d++) {
      ${slotsAcross.map(i => `let p${i} = across[d * ${this.acrossPitch} + ix + ${i * this.#invocationsAcross}];`).join(' ')}
      ${slotsDown.map(j => `let q${j} = down[d * ${this.downPitch} + iy + ${j * this.#invocationsDown}];`).join(' ')}
      ${additions.join('\n      ')}
    }`;
  }

  /**
   * Runs `statement` for each sum of the block, with `x` and `y` (the element's position in the tile across and down) and
   * `value`. Uses a loop, because each store in the text costs compile time on software drivers.
   */
  store(orders: { readonly across: Order; readonly down: Order }, statement: string): string {
    const { blockAcross, blockDown } = this.tile;
    const count = (blockAcross / 4) * blockDown;
    const place = (order: Order, slot: string, part: string, slots: number) =>
      order === 'natural' ? `(${slot}) * 4 + ${part}` : `${slot} + ${part} * ${slots}`;
    const acrossSlot = `ix + i / ${blockDown} * ${this.#invocationsAcross}`;
    const downSlot = `iy + i % ${blockDown} / 4 * ${this.#invocationsDown}`;
    return `var sums = array<vec4f, ${count}>(${this.#names.join(', ')});
  for (var i = 0; i < ${count}; i++) {
    let y = ${place(orders.down, downSlot, 'i % 4', this.downSlots)};
    for (var part = 0; part < 4; part++) {
      let x = ${place(orders.across, acrossSlot, 'part', this.acrossSlots)};
      let value = sums[i][part];
      ${statement}
    }
  }`;
  }

  /** Sums in the order of `store`: slot across, then element down. */
  get #names(): string[] {
    return range(this.tile.blockAcross / 4).flatMap(i => range(this.tile.blockDown).map(j => this.#name(i, j)));
  }

  #name(slotAcross: number, elementDown: number): string {
    return `s${slotAcross}_${elementDown}`;
  }
}

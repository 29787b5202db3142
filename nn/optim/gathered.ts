/** Packs variables into one buffer, so that one dispatch can update them all. */
import { DaybreakError } from '../../engine/basics/errors.ts';
import { packLayout } from '../../engine/graph/memory-operations.ts';
import { type Variable, variable } from '../../engine/variable.ts';

/**
 * Moves variables into one buffer, in the layout of {@link packLayout}. They can be used as before. Assigning the whole
 * assigns all of them, and the reverse.
 */
export class Gathered {
  readonly parts: readonly Variable[];
  readonly whole: Variable;
  readonly #offsets: readonly number[];

  /** @throws DaybreakError if there are none, or one is packed already. */
  constructor(parts: readonly Variable[], name: string) {
    const [first] = parts;
    if (!first) throw new DaybreakError(`${name}: expected at least one variable, got none.`);
    const taken = parts.find(({ state }) => state.part);
    if (taken) throw new DaybreakError(`${name}: ${taken.name} is packed into another variable already.`);
    const { offsets, total } = packLayout(parts.map(({ shape }) => shape));
    this.parts = parts;
    this.#offsets = offsets;
    this.whole = variable(new Float32Array(total), [total], { device: first.device, name, trainable: false });
    parts.forEach((one, i) => {
      one.moveInto(this.whole, offsets[i]);
    });
  }

  /** Number of elements of the whole. */
  get size(): number {
    return this.whole.size;
  }

  /** Index of the first element of part `i` in the whole. */
  offset(i: number): number {
    return this.#offsets[i];
  }

  /** Moves every part back to memory of its own and frees the whole. */
  dispose(): void {
    this.whole.dispose();
  }
}

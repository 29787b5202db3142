/** Variables that lie side by side in one, so that one dispatch can update them all. */
import { DaybreakError } from '../engine/basics/errors.ts';
import { packLayout } from '../engine/graph/places.ts';
import { type Variable, variable } from '../engine/variable.ts';

/** Takes variables into one buffer, as {@link packLayout} lays them out. They can be used as before. To assign the whole is to
 * assign all of them, and the other way round. */
export class Gathered {
  readonly parts: readonly Variable[];
  readonly whole: Variable;
  readonly #offsets: readonly number[];

  /** @throws DaybreakError where there are none, or one has been gathered before. */
  constructor(parts: readonly Variable[], name: string) {
    const [first] = parts;
    if (!first) throw new DaybreakError(`${name}: there is no variable to gather.`);
    const taken = parts.find(({ state }) => state.part);
    if (taken) throw new DaybreakError(`${name}: ${taken.name} lies in another variable already.`);
    const { offsets, total } = packLayout(parts.map(({ shape }) => shape));
    this.parts = parts;
    this.#offsets = offsets;
    this.whole = variable(new Float32Array(total), [total], { device: first.device, name, trainable: false });
    parts.forEach((one, i) => {
      one.moveInto(this.whole, offsets[i]);
    });
  }

  /** Elements of the whole. */
  get size(): number {
    return this.whole.size;
  }

  /** From which element on part `i` lies. */
  offset(i: number): number {
    return this.#offsets[i];
  }

  /** Gives every part memory of its own again, and its own back. */
  dispose(): void {
    this.whole.dispose();
  }
}

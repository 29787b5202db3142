/**
 * Ranges of one variable's memory that a trace has written, each with its value. A variable and its parts are ranges of
 * the same memory, so an assignment to one is visible in all.
 */
import { overlap, type Value, type VariableState } from './value.ts';

/** Elements from `start` to before `end` equal those of `value` from `from` on. */
export interface Written {
  readonly start: number;
  readonly end: number;
  readonly value: Value;
  readonly from: number;
  /** The variable that was assigned: the whole, or the part at this range. */
  readonly by: VariableState;
}

export class WrittenRanges {
  /** In ascending order, none overlapping. */
  #ranges: Written[] = [];

  get ranges(): readonly Written[] {
    return this.#ranges;
  }

  /** The written ranges within `range`, in ascending order, clipped to it. */
  within(range: { readonly start: number; readonly end: number }): Written[] {
    return this.#ranges.filter(one => overlap(one, range)).map(one => clip(one, range.start, range.end));
  }

  /** Records a write, which overrides earlier ones. */
  write(written: Written): void {
    const { start, end } = written;
    const others = this.#ranges.flatMap(one =>
      overlap(one, written) ? [clip(one, 0, start), clip(one, end, Number.POSITIVE_INFINITY)] : [one],
    );
    this.#ranges = [...others.filter(one => one.start < one.end), written].sort((a, b) => a.start - b.start);
  }
}

const clip = (one: Written, start: number, end: number): Written => {
  const first = Math.max(one.start, start);
  return { ...one, start: first, end: Math.min(one.end, end), from: one.from + first - one.start };
};

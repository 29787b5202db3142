/**
 * What a trace has written to one variable's memory so far: ranges, each with the value that it holds. Parts of a
 * variable and the whole are ranges of one memory, so what is assigned to one is seen by all.
 */
import { overlap, type Value, type VariableState } from './value.ts';

/** Elements from `start` to before `end` hold those of `value` from `from` on. */
export interface Written {
  readonly start: number;
  readonly end: number;
  readonly value: Value;
  readonly from: number;
  /** What was assigned: the whole, or the part that lies here. */
  readonly by: VariableState;
}

export class WrittenRanges {
  /** In ascending order, none overlapping. */
  #ranges: Written[] = [];

  get ranges(): readonly Written[] {
    return this.#ranges;
  }

  /** What lies in a range, in ascending order, clipped to it. */
  within(range: { readonly start: number; readonly end: number }): Written[] {
    return this.#ranges.filter(one => overlap(one, range)).map(one => clip(one, range.start, range.end));
  }

  /** Later writes cover earlier ones. */
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

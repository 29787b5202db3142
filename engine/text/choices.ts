/** Fixed choices of variants: measured on this adapter, or recorded by a run. */
import type { Choices } from './kernel.ts';

/** The variant of a family to use for a problem; see `variants.ts`. */
export interface Choice {
  readonly family: string;
  /** The family's `key` for the problem. */
  readonly problem: string;
  readonly variant: string;
}

/** A list of choices. Problems that are not listed use the families' rules. */
export class FixedChoices implements Choices {
  readonly entries: readonly Choice[];
  readonly #variants: ReadonlyMap<string, string>;

  constructor(entries: readonly Choice[]) {
    this.entries = entries;
    this.#variants = new Map(entries.map(({ family, problem, variant }) => [`${family}|${problem}`, variant]));
  }

  find(family: string, key: string): string | undefined {
    return this.#variants.get(`${family}|${key}`);
  }
}

/** Families of kernels: several variants compute the same thing, and one is chosen for each problem. */
import type { AdapterTraits, Lowering } from './kernel.ts';

/** One way of computing a family's problems. */
export interface Variant<P> {
  readonly name: string;
  /** Whether it can compute the problem on this adapter. Whether it should is decided by the family's rule. */
  accepts(problem: P, traits: AdapterTraits): boolean;
  lower(problem: P, traits: AdapterTraits): Lowering;
}

export interface FamilyOptions<P> {
  /** E.g. `conv2d.forward`. */
  readonly name: string;
  /** The plain variant last: it accepts every problem and is the reference for the others. */
  readonly variants: readonly Variant<P>[];
  /** Names of variants, best first, used if nothing was measured on the adapter. The first that accepts runs. */
  readonly rule: (problem: P, traits: AdapterTraits) => readonly string[];
  /** The problem as text, e.g. `3x3 64>64 16x24x24`. Problems with the same key run the same variant. */
  readonly key: (problem: P) => string;
}

/** A set of competing variants. A measured choice (see {@link Choices}) overrides the rule. */
export class Family<P> {
  readonly name: string;
  readonly variants: readonly Variant<P>[];
  readonly key: (problem: P) => string;
  readonly #rule: FamilyOptions<P>['rule'];

  constructor({ name, variants, rule, key }: FamilyOptions<P>) {
    this.name = name;
    this.variants = variants;
    this.key = key;
    this.#rule = rule;
  }

  /** The variants that can compute the problem. */
  candidates(problem: P, traits: AdapterTraits): Variant<P>[] {
    return this.variants.filter(variant => variant.accepts(problem, traits));
  }

  choose(problem: P, traits: AdapterTraits): Variant<P> {
    if (traits.plain) return this.variants.at(-1)!;
    const candidates = this.candidates(problem, traits);
    const named = (name: string | undefined) => candidates.find(variant => variant.name === name);
    const measured = named(traits.choices?.find(this.name, this.key(problem), problem));
    if (measured) return measured;
    for (const name of this.#rule(problem, traits)) {
      const variant = named(name);
      if (variant) return variant;
    }
    return this.variants.at(-1)!;
  }
}

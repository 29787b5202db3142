/** Families of kernels: several ways (variants) of computing one thing, of which one is chosen for each problem. */
import type { AdapterTraits, Lowering } from './kernel.ts';

/** One way of computing a family's problems. */
export interface Variant<P> {
  readonly name: string;
  /** Whether it can compute the problem on such an adapter; whether it should is the family's rule. */
  accepts(problem: P, traits: AdapterTraits): boolean;
  lower(problem: P, traits: AdapterTraits): Lowering;
}

export interface FamilyOptions<P> {
  /** E.g. `conv2d.forward`. */
  readonly name: string;
  /** The plain one last: it takes every problem and judges the others. */
  readonly variants: readonly Variant<P>[];
  /** Names of variants, best first, for an adapter that nothing has been measured on. The first that accepts runs. */
  readonly rule: (problem: P, traits: AdapterTraits) => readonly string[];
  /** The problem in words, e.g. `3x3 64>64 16x24x24`: problems of one key run the same variant. */
  readonly key: (problem: P) => string;
}

/** Variants that compete. A choice that was measured (see {@link Choices}) goes before the rule. */
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

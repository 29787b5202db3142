/**
 * Specifications: what an operation should compute, in float64, and the problems on which tests hold it to that. The tests
 * and the table in the docs walk them.
 *
 * A specification stands below its operation, in the same file, as a call marked pure whose only argument besides is a
 * function: it registers where the file is run as it is, and bundlers drop it with all that only it uses.
 */

import { apply } from './apply.ts';
import type { Shape } from './basics/shape.ts';
import { type Declaration, gradientRule } from './define.ts';
import type { Attributes } from './graph/operation.ts';
import type { Tensor } from './tensor.ts';

/** An input of a sample problem: random numbers in `range`, drawn from a seed, or given. */
export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: 'f32' | 'u32';
  /** Uniform in [low, high); default [-1, 1). */
  readonly range?: readonly [number, number];
  /** Explicit content, for kinks and extremes. */
  readonly values?: readonly number[];
  /** Not differentiated. */
  readonly fixed?: boolean;
}

/** A problem on which an operation is tested. */
export interface Sample<A> {
  readonly inputs: readonly SampleInput[];
  readonly attributes: A;
  /** Finite differences are skipped, e.g. at a kink. Says why. */
  readonly kink?: string;
}

/** A source of choices: tests draw them from fast-check, so that failures shrink. */
export interface Choose {
  integer(min: number, max: number): number;
  pick<T>(options: readonly T[]): T;
}

/** What tests and documents need to know of an operation. */
export interface Specification<A extends Attributes = Attributes> {
  /** One sentence for the docs' table. */
  readonly summary: string;
  /** The definition in float64: plain loops over row-major arrays. */
  reference(inputs: readonly Float64Array[], shapes: readonly Shape[], attributes: A): readonly Float64Array[];
  /** Edge cases. */
  readonly samples: readonly Sample<A>[];
  /** A random problem of odd shape. */
  random(choose: Choose): Sample<A>;
  /** Relative L2 error allowed against the reference, default 1e-6; others say why where they are set. */
  readonly tolerance?: number;
  /** Its gradient is right only as a part of another function's, by whose tests it is tested. */
  readonly gradientTestedBy?: { readonly name: string; readonly why: string };
}

/** The specification of a function that is made of operations. It can be differentiated. */
export interface FunctionSpecification<A extends Attributes = Attributes> extends Specification<A> {
  readonly name: string;
  call(inputs: readonly Tensor[], attributes: A): readonly Tensor[];
}

/** A specification, and what it specifies. */
export interface Specified extends FunctionSpecification {
  /** Absent: a function made of operations. */
  readonly operation?: Declaration;
  /** Gradients exist. */
  readonly differentiable: boolean;
}

const made: (() => Specified)[] = [];

/** Says what an operation should compute. */
export function specify<A extends Attributes>(operation: Declaration<A>, specification: () => Specification<A>): void {
  made.push(() => {
    const specified = {
      ...specification(),
      name: operation.name,
      operation,
      call: (inputs: readonly Tensor[], attributes: A) => apply(operation, inputs, attributes),
      differentiable: gradientRule(operation) !== undefined,
    };
    return specified as unknown as Specified;
  });
}

/** Says what a function made of operations should compute. */
export function specifyFunction<A extends Attributes>(specification: () => FunctionSpecification<A>): void {
  made.push(() => ({ ...specification(), differentiable: true }) as unknown as Specified);
}

/** All specifications of the files that have been imported, by name. */
export const specifications = (): Specified[] => made.map(make => make()).sort((a, b) => (a.name < b.name ? -1 : 1));

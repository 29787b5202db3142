/**
 * Specifications: what an operation should compute, in float64, and test problems. The tests and the table in the docs use
 * them.
 *
 * A specification is below its operation, in the same file, as a call marked pure that takes the operation and a function.
 * It registers itself if the file runs unbundled; bundlers drop it with everything that only it uses.
 */

import { apply } from './apply.ts';
import type { DType, Shape } from './basics/shape.ts';
import { type Declaration, gradientRule } from './define.ts';
import type { Attributes } from './graph/operation.ts';
import { currentDevice, type Tensor } from './tensor.ts';

/** An input of a sample problem: seeded random numbers in `range`, or explicit values. */
export interface SampleInput {
  /** Its shape. */
  readonly shape: Shape;
  /** Its type. Default: f32. */
  readonly dtype?: DType;
  /** Uniform in [low, high); default [-1, 1). */
  readonly range?: readonly [number, number];
  /** Explicit content, for kinks and extremes. */
  readonly values?: readonly number[];
  /** Not differentiated. */
  readonly fixed?: boolean;
}

/** A problem on which an operation is tested. */
export interface Sample<A> {
  /** The inputs, in order. */
  readonly inputs: readonly SampleInput[];
  /** The operation's attributes. */
  readonly attributes: A;
  /** Why finite differences are skipped, e.g. at a kink. */
  readonly kink?: string;
}

/** A source of random choices: tests use fast-check, so that failures shrink. */
export interface Choose {
  integer(min: number, max: number): number;
  pick<T>(options: readonly T[]): T;
}

/** The parts of an operation that only tests and documentation need. */
export interface Specification<A extends Attributes = Attributes> {
  /** One sentence for the docs' table. */
  readonly summary: string;
  /** The definition in float64: plain loops over row-major arrays. */
  reference(inputs: readonly Float64Array[], shapes: readonly Shape[], attributes: A): readonly Float64Array[];
  /** Edge cases. */
  readonly samples: readonly Sample<A>[];
  /** A random problem of odd shape. */
  random(choose: Choose): Sample<A>;
  /** Maximum relative L2 error against the reference, default 1e-6. Explain other values where they are set. */
  readonly tolerance?: number;
  /** Set if the gradient is only right as part of another function's gradient, whose tests cover it. */
  readonly gradientTestedBy?: { readonly name: string; readonly why: string };
}

/** The specification of a function composed of operations. It can be differentiated. */
export interface FunctionSpecification<A extends Attributes = Attributes> extends Specification<A> {
  readonly name: string;
  call(inputs: readonly Tensor[], attributes: A): readonly Tensor[];
}

/** A specification with its operation. */
export interface Specified extends FunctionSpecification {
  /** Absent for a function composed of operations. */
  readonly operation?: Declaration;
  /** Whether it has gradients. */
  readonly differentiable: boolean;
}

const made: (() => Specified)[] = [];

/** Specifies an operation. */
export function specify<A extends Attributes>(operation: Declaration<A>, specification: () => Specification<A>): void {
  made.push(() => {
    const specified = {
      ...specification(),
      name: operation.name,
      operation,
      call: (inputs: readonly Tensor[], attributes: A) =>
        apply(operation, inputs, attributes, inputs.length === 0 ? currentDevice() : undefined),
      differentiable: gradientRule(operation) !== undefined,
    };
    return specified as unknown as Specified;
  });
}

/** Specifies a function composed of operations. */
export function specifyFunction<A extends Attributes>(specification: () => FunctionSpecification<A>): void {
  made.push(() => ({ ...specification(), differentiable: true }) as unknown as Specified);
}

/** All specifications of the files that have been imported, by name. */
export const specifications = (): Specified[] => made.map(make => make()).sort((a, b) => (a.name < b.name ? -1 : 1));

/**
 * One declaration for each operation: what it computes, how, its gradient, its words and its samples. Tests, the table
 * in the docs and the kernel benchmark all follow from the declarations.
 */

import type { Shape, TensorSpec } from './basics/shape.ts';
import type { Attributes, Operation } from './graph/operation.ts';
import type { Tensor } from './tensor.ts';

/** What a gradient rule starts from. */
export interface GradientContext<A> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The loss's gradient with respect to each output; undefined where the loss does not depend on it. */
  readonly grads: readonly (Tensor | undefined)[];
  /** Which inputs' gradients are asked for. */
  readonly needs: readonly boolean[];
  readonly attributes: A;
}

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

/** A problem on which an operation is tested and timed. */
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

/** What tests and documents need to know of an operation, whether it is a kernel's or put together from others. */
export interface Listed<A extends Attributes = Attributes> {
  readonly name: string;
  /** One sentence for the docs' table. */
  readonly summary: string;
  call(inputs: readonly Tensor[], attributes: A): readonly Tensor[];
  /** The definition in float64: plain loops over row-major arrays. */
  reference(inputs: readonly Float64Array[], shapes: readonly Shape[], attributes: A): readonly Float64Array[];
  /** Edge cases. */
  readonly samples: readonly Sample<A>[];
  /** A random problem of odd shape. */
  random(choose: Choose): Sample<A>;
  /** Gradients exist. */
  readonly differentiable: boolean;
  /** Relative L2 error allowed against the reference, default 1e-6; others say why where they are set. */
  readonly tolerance?: number;
}

/** Everything about an operation that has a kernel of its own. */
export interface Declaration<A extends Attributes = Attributes>
  extends Operation<A>,
    Pick<Listed<A>, 'summary' | 'samples' | 'random' | 'tolerance'> {
  reference(inputs: readonly Float64Array[], specs: readonly TensorSpec[], attributes: A): readonly Float64Array[];
  /**
   * Gradients of the inputs, written with other operations. Entries for inputs that were not asked for may be undefined; null says
   * that none flows to this input, because that of another one contains it.
   * Absent: the operation cannot be differentiated.
   */
  gradient?(context: GradientContext<A>): readonly (Tensor | undefined | null)[];
}

type Rule = (context: GradientContext<Attributes>) => readonly (Tensor | undefined | null)[];

const rules = new WeakMap<object, Rule>();

/** Declares an operation. */
export function defineOp<A extends Attributes>(declaration: Declaration<A>): Declaration<A> {
  if (declaration.gradient)
    rules.set(declaration, context => declaration.gradient!(context as unknown as GradientContext<A>));
  return declaration;
}

/** Gives an operation of the engine's own, which has no declaration, its gradient rule. */
export const setGradient = (operation: object, rule: Rule): void => void rules.set(operation, rule);

/** The gradient rule of an operation, if it has one. */
export const gradientRule = (operation: object): Rule | undefined => rules.get(operation);

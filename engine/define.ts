/**
 * One declaration for each operation: what it computes, how, its gradient, its words and its samples. Tests, the table
 * in the docs and the kernel benchmark all follow from the declarations.
 */
import type { Attributes, Operation } from './operation.ts';
import type { Shape, TensorSpec } from './shape.ts';
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
}

/** A problem on which an operation is tested and timed. */
export interface Sample<A> {
  readonly inputs: readonly SampleInput[];
  readonly attributes: A;
  /** Skip finite differences, e.g. at a kink. Says why. */
  readonly kink?: string;
}

export interface Declaration<A extends Attributes = Attributes> extends Operation<A> {
  /** One sentence for the docs' table. */
  readonly summary: string;
  /** The definition in float64: plain loops over row-major arrays. */
  reference(inputs: readonly Float64Array[], specs: readonly TensorSpec[], attributes: A): Float64Array[];
  /**
   * Gradients of the inputs, written with other operations. Entries for inputs that were not asked for may be undefined.
   * Absent: the operation cannot be differentiated.
   */
  gradient?(context: GradientContext<A>): readonly (Tensor | undefined)[];
  readonly samples: readonly Sample<A>[];
  /** Relative L2 error allowed against the reference; default 1e-6. Larger ones say why in the declaration. */
  readonly tolerance?: number;
}

type Rule = (context: GradientContext<Attributes>) => readonly (Tensor | undefined)[];

const rules = new WeakMap<object, Rule>();

/** Declares an operation. */
export function defineOp<A extends Attributes>(declaration: Declaration<A>): Declaration<A> {
  const { gradient } = declaration;
  if (gradient) rules.set(declaration, gradient as unknown as Rule);
  return declaration;
}

/** The gradient rule of an operation, if it has one. */
export const gradientRule = (operation: object): Rule | undefined => rules.get(operation);

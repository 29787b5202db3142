/**
 * Declarations of operations: the kernels and the gradient. The reference and the test problems are in the specification
 * (`specify.ts`), which bundles do not contain.
 */

import { DaybreakError } from './basics/errors.ts';
import type { Attributes, Operation } from './graph/operation.ts';
import type { Tensor } from './tensor.ts';

/** Input of a gradient rule. */
export interface GradientContext<A> {
  /** The operation's inputs. */
  readonly inputs: readonly Tensor[];
  /** The operation's outputs. */
  readonly outputs: readonly Tensor[];
  /** The loss's gradient with respect to each output; undefined if the loss does not depend on it. */
  readonly grads: readonly (Tensor | undefined)[];
  /** Which inputs need a gradient. */
  readonly needs: readonly boolean[];
  /** The operation's attributes. */
  readonly attributes: A;
}

/** A complete operation with its own kernel. */
export interface Declaration<A extends Attributes = Attributes> extends Operation<A> {
  /**
   * Gradients of the inputs, written with other operations. Entries for inputs that need none may be undefined; null means
   * that no gradient flows to this input: another input's gradient contains it, or the output is constant almost everywhere.
   * If absent, the operation cannot be differentiated.
   */
  gradient?(context: GradientContext<A>): readonly (Tensor | undefined | null)[];
}

type Rule = (context: GradientContext<Attributes>) => readonly (Tensor | undefined | null)[];

const rules = new WeakMap<object, Rule>();
const declared: Declaration[] = [];
const names = new Set<string>();

/**
 * Declares an operation. Throws DaybreakError for the name of another one. Write `/* @__PURE__ *\/` before the call, so that bundlers drop unused operations.
 */
export function defineOp<A extends Attributes>(declaration: Declaration<A>): Declaration<A> {
  const { name, gradient } = declaration;
  if (names.has(name)) throw new DaybreakError(`defineOp: an operation "${name}" exists already.`);
  names.add(name);
  if (gradient) rules.set(declaration, context => gradient(context as unknown as GradientContext<A>));
  declared.push(declaration as unknown as Declaration);
  return declaration;
}

/** All operations declared in the files imported so far. */
export const declarations = (): readonly Declaration[] => declared;

/** Sets the gradient rule of an operation inside the engine, which has no declaration. */
export const setGradient = (operation: object, rule: Rule): void => void rules.set(operation, rule);

/** The gradient rule of an operation, if it has one. */
export const gradientRule = (operation: object): Rule | undefined => rules.get(operation);

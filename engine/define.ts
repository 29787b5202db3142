/**
 * Declarations of operations: what one computes, how, and its gradient. What it should compute, and the problems on which
 * that is tested, is its specification (`specify.ts`), which no program ships.
 */

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

/** Everything about an operation that has a kernel of its own. */
export interface Declaration<A extends Attributes = Attributes> extends Operation<A> {
  /**
   * Gradients of the inputs, written with other operations. Entries for inputs that were not asked for may be undefined; null says
   * that none flows to this input, because that of another one contains it.
   * Absent: the operation cannot be differentiated.
   */
  gradient?(context: GradientContext<A>): readonly (Tensor | undefined | null)[];
}

type Rule = (context: GradientContext<Attributes>) => readonly (Tensor | undefined | null)[];

const rules = new WeakMap<object, Rule>();
const declared: Declaration[] = [];

/**
 * Declares an operation. Write `/* @__PURE__ *\/` before the call, so that bundlers leave out what a program does not use.
 */
export function defineOp<A extends Attributes>(declaration: Declaration<A>): Declaration<A> {
  const { gradient } = declaration;
  if (gradient) rules.set(declaration, context => gradient(context as unknown as GradientContext<A>));
  declared.push(declaration as unknown as Declaration);
  return declaration;
}

/** Every operation that has been declared so far: all of those files that have been imported. */
export const declarations = (): readonly Declaration[] => declared;

/** Gives an operation of the engine's own, which has no declaration, its gradient rule. */
export const setGradient = (operation: object, rule: Rule): void => void rules.set(operation, rule);

/** The gradient rule of an operation, if it has one. */
export const gradientRule = (operation: object): Rule | undefined => rules.get(operation);

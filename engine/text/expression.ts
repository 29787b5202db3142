/** Elementwise expressions as data: the computation of one operation for one element, or of a chain of operations. */

import type { IntegerType } from '../basics/shape.ts';
import { BITS, callsBits, integerLiteral, literal } from './literal.ts';

/** Attributes of an operation: numbers, strings, and lists and records of them. They are part of cache keys. */
export type Attributes = Readonly<Record<string, unknown>>;

/** The f32 expression of a number: a literal, or a reference to a kernel argument. */
export type NumberText = (value: number) => string;

/** An elementwise operation as WGSL: declarations, and the expression of one output element. */
export interface Elementwise<A> {
  /** WGSL functions used by the expression, if any; those that others use too as texts of their own: equal ones are declared once. */
  declarations?(attributes: A): string | readonly string[];
  /**
   * The f32 expression of the result, from expressions of the inputs' elements. Pass numbers from attributes through
   * `number`, so that one kernel text serves all of them if they are arguments.
   */
  expression(inputs: readonly string[], attributes: A, number: NumberText): string;
  /** The same for elements of i32 or u32, if the operation takes them; `number` gives literals of that type. */
  integers?(inputs: readonly string[], attributes: A, number: NumberText, type: IntegerType): string;
  /** The result does not depend on the inputs' elements, so they are not loaded. */
  readonly constant?: boolean;
  /** Expensive (exp, tanh …): not worth computing twice to save a load. */
  readonly expensive?: boolean;
}

/** An argument of a step: the element of an operand, or the result of an earlier step. */
export type Reference = { readonly operand: number } | { readonly step: number };

export interface ExpressionStep {
  readonly elementwise: Elementwise<Attributes>;
  readonly attributes: Attributes;
  readonly args: readonly Reference[];
  /** The operands' type, if they are whole numbers. */
  readonly integers?: IntegerType | undefined;
}

/** Steps in order; the last one is the result. */
export interface Expression {
  readonly steps: readonly ExpressionStep[];
}

/** One operation applied to its operands in order. */
export const single = (
  elementwise: Elementwise<Attributes>,
  attributes: Attributes,
  operands: number,
  integers?: IntegerType,
): Expression => ({
  steps: [{ elementwise, attributes, args: Array.from({ length: operands }, (_, operand) => ({ operand })), integers }],
});

/** The element of operand 0, unchanged. */
export const identity: Expression = single({ expression: ([x]) => x }, {}, 1);

/** An expression as WGSL: module-scope declarations, statements, and the result's expression. */
export interface Emitted {
  readonly declarations: string;
  readonly statements: readonly string[];
  readonly result: string;
}

/** WGSL for `expression`, where `operands[i]` is an f32 expression without side effects. */
export function emit(expression: Expression, operands: readonly string[], number: NumberText = literal): Emitted {
  const declarations = new Set<string>();
  const statements: string[] = [];
  const names: string[] = [];
  expression.steps.forEach(({ elementwise, attributes, args, integers }, index) => {
    const inputs = args.map(reference =>
      'operand' in reference ? operands[reference.operand] : names[reference.step],
    );
    for (const text of [elementwise.declarations?.(attributes) ?? []].flat()) declarations.add(text);
    const name = `t${index}`;
    const text =
      integers && elementwise.integers
        ? elementwise.integers(inputs, attributes, value => integerLiteral(value, integers), integers)
        : elementwise.expression(inputs, attributes, number);
    statements.push(`let ${name} = ${text};`);
    names.push(name);
  });
  if (statements.some(callsBits)) declarations.add(BITS);
  return { declarations: [...declarations].join('\n'), statements, result: names.at(-1)! };
}

/** Which operands an expression reads (a constant's operands are not loaded). */
export function operandsRead(expression: Expression): Set<number> {
  const read = new Set<number>();
  for (const { elementwise, args } of expression.steps)
    if (!elementwise.constant) for (const reference of args) if ('operand' in reference) read.add(reference.operand);
  return read;
}

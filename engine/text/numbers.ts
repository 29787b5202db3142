/** Numbers in a kernel that are either constants of its text or arguments of its dispatch. */
import { type DType, isInteger } from '../basics/shape.ts';
import { param, paramsDeclaration } from './kernel.ts';
import { bitsOf, literal } from './literal.ts';

/**
 * Declares i32 names for sizes: `const h: i32 = 24;` if baked, else `let h = i32(params[0].x);`. Floating-point numbers
 * are literals, or `let number1 = bitcast<f32>(params[0].y);`.
 */
export class Numbers {
  /** Words of the dispatch's arguments, in the order of their declaration; empty if all are baked. */
  readonly params: number[] = [];
  readonly #baked: boolean;
  readonly #lines: string[] = [];

  constructor(baked: boolean, values: Readonly<Record<string, number>>) {
    this.#baked = baked;
    for (const [name, value] of Object.entries(values)) this.#declare(name, value);
  }

  #declare(name: string, value: number): void {
    if (this.#baked) this.#lines.push(`const ${name}: i32 = ${value};`);
    else this.#lines.push(`let ${name} = i32(${this.#argument(value)});`);
  }

  /** Adds an argument word and returns its expression. */
  #argument(word: number): string {
    return param(this.params.push(word) - 1);
  }

  /**
   * A bit-exact f32 expression for a number. If numbers are arguments, its text is the same for all of them. Zero is always
   * an argument: drivers fold NaN times a constant zero to 0, and assume that nothing is divided by one.
   */
  readonly float = (value: number): string => {
    if (this.#baked && Math.fround(value) !== 0) return literal(value);
    const name = `number${this.params.length}`;
    this.#lines.push(`let ${name} = bitcast<f32>(${this.#argument(bitsOf(value))});`);
    return name;
  };

  /** A u32 expression for the bits of an element of this type. */
  bits(value: number, dtype: DType): string {
    const word = isInteger(dtype) ? value >>> 0 : bitsOf(value);
    return this.#baked ? `${word}u` : this.#argument(word);
  }

  /** Declaration of the uniform at module scope; empty if everything is baked. */
  binding(index: number): string {
    return paramsDeclaration(index, this.params.length);
  }

  /** The names' declarations, for the start of `main`. */
  get locals(): string {
    return this.#lines.join('\n  ');
  }
}

/** The numbers of a kernel that are either constants of its text or arguments of its dispatch. */
import { param, paramsDeclaration } from './kernel.ts';
import { bitsOf, literal } from './literal.ts';

/**
 * Declares i32 names for sizes: `const h: i32 = 24;` where baked, `let h = i32(params[0].x);` where not. Floating-point
 * numbers are literals, or `let number1 = bitcast<f32>(params[0].y);`.
 */
export class Numbers {
  readonly params: number[] = [];
  readonly #baked: boolean;
  readonly #lines: string[] = [];

  constructor(baked: boolean, values: Readonly<Record<string, number>>) {
    this.#baked = baked;
    for (const [name, value] of Object.entries(values)) this.#declare(name, value);
  }

  #declare(name: string, value: number): void {
    if (this.#baked) this.#lines.push(`const ${name}: i32 = ${value};`);
    else this.#lines.push(`let ${name} = i32(${this.#word(value)});`);
  }

  /** A word of the arguments, as an expression. */
  #word(value: number): string {
    return param(this.params.push(value) - 1);
  }

  /**
   * An f32 expression for a number, exact to the bit. Its text is the same for all numbers where they are arguments. Zero
   * always is one: of a constant zero, drivers think that times it NaN is 0, and that nobody divides by it.
   */
  readonly float = (value: number): string => {
    if (this.#baked && Math.fround(value) !== 0) return literal(value);
    const name = `number${this.params.length}`;
    this.#lines.push(`let ${name} = bitcast<f32>(${this.#word(bitsOf(value))});`);
    return name;
  };

  /** Declaration of the uniform at module scope: empty where all is baked. */
  binding(index: number): string {
    return paramsDeclaration(index, this.params.length);
  }

  /** The names' declarations, for the start of `main`. */
  get locals(): string {
    return this.#lines.join('\n  ');
  }
}

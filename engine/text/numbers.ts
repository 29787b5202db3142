/** The numbers of a kernel that are either constants of its text or arguments of its dispatch. */
import { param, paramsDeclaration } from './kernel.ts';

/** Declares i32 names for sizes: `const h: i32 = 24;` where baked, `let h = i32(params[0].x);` where not. */
export class Numbers {
  readonly params: number[] = [];
  readonly #baked: boolean;
  readonly #lines: string[] = [];

  constructor(baked: boolean, values: Readonly<Record<string, number>>) {
    this.#baked = baked;
    for (const [name, value] of Object.entries(values)) this.#declare(name, value);
  }

  #declare(name: string, value: number): void {
    if (this.#baked) {
      this.#lines.push(`const ${name}: i32 = ${value};`);
    } else {
      this.#lines.push(`let ${name} = i32(${param(this.params.length)});`);
      this.params.push(value);
    }
  }

  /** Declaration of the uniform at module scope: empty where all is baked. */
  binding(index: number): string {
    return paramsDeclaration(index, this.params.length);
  }

  /** The names' declarations, for the start of `main`. */
  get locals(): string {
    return this.#lines.join('\n  ');
  }
}

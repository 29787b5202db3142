/**
 * Kernels that reduce rows and use the results for the elements of the same rows, in one dispatch: softmax, layer norm and
 * their gradients. One invocation walks along a row, or a workgroup shares it.
 */
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assemble, assembleElements, hiddenOne } from '../../engine/text/assemble.ts';
import type { NumberText } from '../../engine/text/expression.ts';
import type { AdapterTraits, Kernel } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { lines } from '../../engine/text/repeat.ts';

/** Rows of equal length. Element `i` of row `r` is at (r / stride · length + i) · stride + r mod stride. */
export interface Rows {
  readonly count: number;
  readonly length: number;
  /** Elements from one element of a row to the next. */
  readonly stride: number;
  /** Rows consist of channels of this many elements; default 1. */
  readonly channelSize?: number;
}

export interface RowKernel {
  readonly name: string;
  /** Inputs, arrays of f32. */
  readonly reads: readonly string[];
  /** Outputs; default `result`. */
  readonly writes?: readonly string[];
  readonly rows: Rows;
  /** Sizes by name that the body uses besides `len`, the row's length. */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly declarations?: string;
  readonly baked: boolean;
  /** Statements for the row number `row` (i32). */
  readonly body: (row: RowText) => string;
}

/** Statements for one element of a row. */
export interface ElementText {
  /** Statements that depend on the element's channel only, whose number in the row is `k` (i32). */
  readonly channel?: string;
  /** Statements that may use the element's position `i` in the row and its index `at` (i32). */
  readonly element?: string;
}

/** The text of loops along a row. */
export interface RowText {
  /** The f32 expression of a number. */
  readonly number: NumberText;
  /** Declares each name as the compensated sum of an expression over the row, which may use what `text` declares. */
  sums(terms: Readonly<Record<string, string>>, text?: ElementText): string;
  /** Declares a name as the largest element of an array. If there is NaN, it is any element or NaN. */
  largest(name: string, array: string): string;
  /** Statements for each element. */
  each(text: ElementText): string;
  /** Statements that run once for the row. */
  once(statements: string): string;
}

/** Shorter rows are not worth a workgroup. */
const SHORT = 64;
/** A workgroup of 256 lanes would be idle for the most part in shorter rows, and one's barriers take as long as these. */
const LONG = 1024;
/** Rows from which on a software driver has enough to do if each takes one invocation. */
const MANY_PER_PROCESSOR = 64;
/** The same on GPUs, for rows whose elements are far apart: neighbours read neighbouring rows. */
const MANY = 4096;

/** Whether one invocation walks along each row. */
function isSerial({ count, length, stride }: Rows, { software, processors }: AdapterTraits): boolean {
  if (length < SHORT) return true;
  return software ? length < LONG && count >= MANY_PER_PROCESSOR * processors : stride > 1 && count >= MANY;
}

/** Channels are walked one after the other if each has this many elements for each lane. */
const LEAST_TURNS = 4;

/** How partial results are combined. */
interface Fold {
  readonly type: string;
  readonly empty: string;
  add(total: string, term: string): string;
  result(total: string): string;
  join(a: string, b: string): string;
}

const sumFold = (array: string): Fold => ({
  type: 'Sum',
  empty: emptySum(array),
  add: (total, term) => `addTo(&${total}, ${term});`,
  result: total => `totalOf(${total})`,
  join: (a, b) => `${a} + ${b}`,
});

const maxFold = (array: string): Fold => ({
  type: 'f32',
  empty: `${array}[start]`,
  add: (total, term) => `${total} = max(${total}, ${term});`,
  result: total => total,
  join: (a, b) => `max(${a}, ${b})`,
});

class Text implements RowText {
  readonly number: NumberText;
  readonly #first: string;
  readonly #lanes: number;
  /** Elements of a channel. */
  readonly #channelSize: number;
  /** The number of arrays in workgroup memory: one for each result that is reduced at once. */
  #partials = 0;

  /** `lanes` share a row; 1: one invocation. `first`: any input. */
  constructor(number: NumberText, first: string, lanes: number, channelSize: number) {
    this.number = number;
    this.#channelSize = channelSize;
    this.#first = first;
    this.#lanes = lanes;
  }

  get declarations(): string {
    return lines(this.#partials, i => `var<workgroup> partial${i}: array<f32, ${this.#lanes}>;`);
  }

  /** A loop over the lane's elements. Unrolling it gains nothing on a software driver, and takes it longer to compile. */
  #loop(statements: string, channel = ''): string {
    const walk = (from: string, to: string, each: string) =>
      `for (var i = ${from}; i < ${to}; i += ${this.#lanes}) {
    let at = start + i * stride;
    ${each}
  }`;
    const first = this.#lanes === 1 ? '' : ' + i32(lane)';
    // Integer divisions take a software driver longer than what they are for.
    if (channel !== '' && this.#channelSize >= Math.max(2, LEAST_TURNS * (this.#lanes - 1)))
      return `for (var k = 0; k < len / channelSize * one; k++) {
  ${channel}
  ${walk(`k * channelSize${first}`, '(k + one) * channelSize', statements)}
  }`;
    const k = channel === '' ? '' : `let k = i${this.#channelSize > 1 ? ' / channelSize' : ''}; ${channel} `;
    return walk(`0${first}`, 'len * one', k + statements);
  }

  #reduce(terms: Readonly<Record<string, string>>, { channel, element = '' }: ElementText, fold: Fold): string {
    const names = Object.keys(terms);
    const all = (text: (name: string, i: number) => string) => names.map(text).join(' ');
    const loop = this.#loop(`${element} ${all(name => fold.add(`total_${name}`, terms[name]))}`, channel);
    const start = `${all(name => `var ${name}: f32;`)}
  {
  ${all(name => `var total_${name}: ${fold.type} = ${fold.empty};`)}
  ${loop}`;
    if (this.#lanes === 1)
      return `${start}
  ${all(name => `${name} = ${fold.result(`total_${name}`)};`)}
  }`;
    this.#partials = Math.max(this.#partials, names.length);
    return `${start}
  ${all((name, i) => `partial${i}[lane] = ${fold.result(`total_${name}`)};`)}
  for (var width = ${this.#lanes / 2}u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { ${all((_, i) => `partial${i}[lane] = ${fold.join(`partial${i}[lane]`, `partial${i}[lane + width]`)};`)} }
  }
  workgroupBarrier();
  ${all((name, i) => `${name} = partial${i}[0];`)}
  workgroupBarrier();
  }`;
  }

  sums(terms: Readonly<Record<string, string>>, text: ElementText = {}): string {
    return this.#reduce(terms, text, sumFold(this.#first));
  }

  largest(name: string, array: string): string {
    return this.#reduce({ [name]: `${array}[at]` }, {}, maxFold(array));
  }

  each({ channel, element = '' }: ElementText): string {
    return this.#loop(element, channel);
  }

  once(statements: string): string {
    return this.#lanes === 1 ? statements : `if (lane == 0u) { ${statements} }`;
  }
}

/** The bindings are the inputs, then the outputs. */
export function rowKernel(parts: RowKernel, traits: AdapterTraits): Kernel {
  const { name, reads, writes = ['result'], rows, sizes, declarations = '', baked, body } = parts;
  const { count, length, stride, channelSize = 1 } = rows;
  const own = { rows: count, len: length, stride, ...(channelSize > 1 && { channelSize }) };
  const numbers = new Numbers(baked, { ...own, ...sizes });
  const serial = isSerial(rows, traits);
  const lanes = serial ? 1 : traits.software ? Math.max(traits.subgroupSize, 8) : length >= LONG ? 256 : 64;
  const text = new Text(numbers.float, reads[0], lanes, channelSize);
  const walk = `let start = row / stride * len * stride + row % stride;
  ${body(text)}`;
  const common = {
    name,
    reads,
    writes,
    numbers,
    declarations: `${ACCUMULATION}\n${declarations}\n${text.declarations}`,
  };
  if (serial)
    return assembleElements(
      {
        ...common,
        elements: count,
        count: 'rows',
        heavy: true,
        before: hiddenOne(reads[0]),
        body: `let row = index;\n  ${walk}`,
      },
      traits,
    );
  return assemble({
    ...common,
    lanes,
    groups: count,
    body: `${hiddenOne(reads[0])}
  let row = group;
  if (row >= rows) { return; }
  ${walk}`,
  });
}

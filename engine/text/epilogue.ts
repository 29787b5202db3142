/**
 * Epilogues: an elementwise expression that a kernel applies to each element before storing it, so that the operations
 * after a convolution (activation, normalization with known statistics, a residual sum) need no extra pass over memory.
 */

import { type Shape, sameShape, sizeOf } from '../basics/shape.ts';
import { type Expression, emit, identity } from './expression.ts';
import { bitsOf, literal } from './literal.ts';

/** How an operand is read: the element at the same index, one per channel (axis 1), or one for all. */
export type Reach = 'element' | 'channel' | 'scalar';

export interface Epilogue {
  /** Operand 0 is the element itself, operand i + 1 is `extras[i]`. */
  readonly expression: Expression;
  /** One for each input of the epilogue; they come after the operation's own inputs. */
  readonly extras: readonly Reach[];
  /** The result is first shuffled by this factor (see `Operation.shuffle`); 1 means not shuffled. */
  readonly shuffle: number;
}

/** Coordinates of an element of a result [N, K, OH, OW], as i32 expressions; `sizes` are those of the result. */
export interface Position {
  readonly image: string;
  readonly channel: string;
  readonly row: string;
  readonly column: string;
  readonly sizes: readonly [channels: number, height: string, width: string];
}

/** The element's index in the stored tensor. */
function placeOf({ image, channel, row, column, sizes: [channels, height, width] }: Position, factor: number): string {
  if (factor === 1) return `((${image} * ${channels} + ${channel}) * ${height} + ${row}) * ${width} + ${column}`;
  const plane = `${image} * ${channels / factor ** 2} + ${channel} / ${factor ** 2}`;
  const down = `${row} * ${factor} + ${channel} / ${factor} % ${factor}`;
  return `((${plane}) * ${height} * ${factor} + ${down}) * ${width} * ${factor} + ${column} * ${factor} + ${channel} % ${factor}`;
}

/** How an operand of this shape maps to an output; undefined if it is none of the three. */
export function reachOf(shape: Shape, output: Shape): Reach | undefined {
  if (sameShape(shape, output)) return 'element';
  if (sizeOf(shape) === 1) return 'scalar';
  const aligned = [...Array<number>(Math.max(0, output.length - shape.length)).fill(1), ...shape];
  return aligned.every((size, axis) => (axis === 1 ? size === output[1] : size === 1)) ? 'channel' : undefined;
}

/** An epilogue as WGSL. Its bindings are `extra0 …`. */
export interface EpilogueText {
  readonly reads: readonly string[];
  /** Module-scope declarations. */
  readonly declarations: string;
  /** Loads that are constant within a channel, which is given as an i32 expression. */
  perChannel(channel: string): string[];
  /** The index at which an element is stored. `plain`: the index without shuffling, if already computed. */
  place(position: Position, plain?: string): string;
  /** Statements for one element (an f32 expression); they declare `place`, where `result` is stored. */
  perElement(value: string, position: Position, plain?: string): { statements: string[]; result: string };
}

/** The identity: no extra inputs. */
export const NOTHING: Epilogue = { expression: identity, extras: [], shuffle: 1 };

/**
 * A zero that the driver does not know (see `Numbers.float`, which makes zeros arguments): drivers fold NaN times a
 * constant zero to 0. Every kernel with an epilogue writes to `result`.
 */
const HIDDEN_ZERO = `fn hiddenZero(sign: u32) -> f32 {
  return bitcast<f32>(sign ^ (min(arrayLength(&result), 1u) - 1u));
}`;
const number = (value: number): string => (Math.fround(value) === 0 ? `hiddenZero(${bitsOf(value)}u)` : literal(value));

export function epilogueText({ expression, extras, shuffle }: Epilogue = NOTHING): EpilogueText {
  const names = extras.map((_, i) => `e${i}`);
  const load = (reach: Reach, i: number, at: string) => (extras[i] === reach ? [`let e${i} = extra${i}[${at}];`] : []);
  const place = (position: Position, plain?: string) => (shuffle === 1 && plain ? plain : placeOf(position, shuffle));
  const { declarations, statements } = emit(expression, ['v', ...names], number);
  const hasZero = statements.some(statement => statement.includes('hiddenZero('));
  return {
    reads: extras.map((_, i) => `extra${i}`),
    declarations: hasZero ? `${HIDDEN_ZERO}\n${declarations}` : declarations,
    perChannel: channel =>
      extras.flatMap((_, i) => [...load('channel', i, `${channel} / ${shuffle ** 2}`), ...load('scalar', i, '0')]),
    place,
    perElement(value, position, plain) {
      const { statements, result } = emit(expression, [value, ...names], number);
      const loads = extras.flatMap((_, i) => load('element', i, 'place'));
      return { statements: [`let place = ${place(position, plain)};`, ...loads, ...statements], result };
    },
  };
}

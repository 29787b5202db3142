/**
 * Epilogues: an elementwise expression that a kernel applies to each element before it stores it, so that what follows a
 * convolution (activation, normalisation by known statistics, a residual sum) costs no pass over memory of its own.
 */
import { type Expression, emit } from './expression.ts';
import { type Shape, sameShape, sizeOf } from './shape.ts';

/** How an operand is read: the element at the same place, one for each channel (axis 1), or one for all. */
export type Reach = 'element' | 'channel' | 'scalar';

export interface Epilogue {
  /** Operand 0 is the element itself, operand i + 1 is `extras[i]`. */
  readonly expression: Expression;
  /** One for each input that the epilogue adds, after the operation's own inputs. */
  readonly extras: readonly Reach[];
}

/** How an operand of this shape meets an output; undefined where it is none of the three. */
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
  /** Loads that do not change within a channel, which is given as an i32 expression. */
  perChannel(channel: string): string[];
  /** Loads and statements for one element: an f32 expression, and its place in the result. */
  perElement(value: string, index: string): { readonly statements: string[]; readonly result: string };
}

/** Without an epilogue: nothing to read, and the element as it is. */
export function epilogueText(epilogue: Epilogue | undefined): EpilogueText {
  if (!epilogue)
    return {
      reads: [],
      declarations: '',
      perChannel: () => [],
      perElement: value => ({ statements: [], result: value }),
    };
  const { expression, extras } = epilogue;
  const names = extras.map((_, i) => `e${i}`);
  const loads = (wanted: (reach: Reach) => boolean, at: (reach: Reach) => string) =>
    extras.flatMap((reach, i) => (wanted(reach) ? [`let e${i} = extra${i}[${at(reach)}];`] : []));
  const { declarations } = emit(expression, ['v', ...names]);
  return {
    reads: extras.map((_, i) => `extra${i}`),
    declarations,
    perChannel: channel =>
      loads(
        reach => reach !== 'element',
        reach => (reach === 'channel' ? channel : '0'),
      ),
    perElement(value, index) {
      const { statements, result } = emit(expression, [value, ...names]);
      return {
        statements: [
          ...loads(
            reach => reach === 'element',
            () => index,
          ),
          ...statements,
        ],
        result,
      };
    },
  };
}

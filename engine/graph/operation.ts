/** What the engine knows of an operation. `value.ts` has the nodes that apply them and the values that flow between. */
import type { DType, TensorSpec } from '../basics/shape.ts';
import type { Epilogue } from '../text/epilogue.ts';
import type { Attributes, Elementwise } from '../text/expression.ts';
import type { AdapterTraits, Lowering } from '../text/kernel.ts';

export type { Attributes, Elementwise };

/** One application of an operation, as its lowering sees it. */
export interface Problem<A> {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly attributes: A;
  /** True: sizes are constants of the text (training). False: they are arguments, so one text serves every size. */
  readonly baked: boolean;
  /** For operations that take one: what is applied to each element; its inputs follow the operation's own. */
  readonly epilogue?: Epilogue;
}

/** What the engine must know of an operation to trace, plan and run it. */
export interface Operation<A = Attributes> {
  readonly name: string;
  /**
   * The inputs' element types, in order; the last one counts for all further inputs. All that are 'any' have one and the same
   * type, whichever it is. Default: f32 for all. Others are refused before `infer` is asked.
   */
  readonly takes?: readonly (DType | 'any')[];
  /** The shape rule. Throws ShapeError. */
  infer(inputs: readonly TensorSpec[], attributes: A): TensorSpec[];
  /** Kernels, as text. */
  lower(problem: Problem<A>, traits: AdapterTraits): Lowering;
  /**
   * `[output, input]` pairs that share memory: the kernel finds the input in the output's binding and updates it there. Where
   * somebody still needs the input's content, the kernel gets a copy: to whoever applies it, the operation is pure.
   */
  readonly inPlace?: readonly (readonly [number, number])[];
  /** Output 0 is part of input 0, or all of it under another shape: no kernel runs. */
  readonly view?: View<A>;
  /**
   * Output 0 is all inputs side by side at these element offsets (multiples of 64). The planner lets producers write
   * straight into place; `lower` has one step for each input, run only where that was impossible.
   */
  packOffsets?(attributes: A, inputs: readonly TensorSpec[]): readonly number[];
  /** A scalar WGSL expression, if the operation is elementwise: what lets `compile` fuse chains of them. */
  readonly elementwise?: Elementwise<A>;
  /** Its kernels apply a problem's epilogue to output 0, [N, C, …], before they store it. */
  readonly takesEpilogue?: true;
  /**
   * Output 0, [N, K/f², H·f, W·f], is input 0, [N, K, H, W], shuffled by the factor f: element (c·f² + i·f + j, y, x) moves to
   * (c, y·f + i, x·f + j).
   */
  shuffle?(attributes: A): number;
  /** Present if the operation is a sum over axes. */
  readonly reduction?: Reduction<A>;
}

/** Where in input 0 a view begins, in elements; a multiple of 64 (WebGPU binds at multiples of 256 bytes). */
export interface View<A> {
  offset(attributes: A): number;
}

/** A sum over axes, as data: what lets `compile` compute its input on the fly. */
export interface Reduction<A> {
  /** Which axes of the input are summed (sorted, non-negative), and what the sum is divided by. */
  describe(attributes: A, rank: number): { readonly axes: readonly number[]; readonly divisor: number };
}

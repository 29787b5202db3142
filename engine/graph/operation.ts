/** The engine's interface to operations. `value.ts` has the nodes that apply them and the values between them. */
import type { DType, TensorSpec } from '../basics/shape.ts';
import type { Fold } from '../text/accumulate.ts';
import type { Epilogue } from '../text/epilogue.ts';
import type { Attributes, Elementwise } from '../text/expression.ts';
import type { AdapterTraits, Lowering } from '../text/kernel.ts';

export type { Attributes, Elementwise };

/** One application of an operation, as passed to its lowering. */
export interface Problem<A> {
  /** Shapes and types of the inputs. */
  readonly inputs: readonly TensorSpec[];
  /** Shapes and types of the outputs, as `infer` gave them. */
  readonly outputs: readonly TensorSpec[];
  /** The operation's attributes. */
  readonly attributes: A;
  /** True: sizes are constants in the kernel text (training). False: they are arguments, so one text serves every size. */
  readonly baked: boolean;
  /** For operations with `takesEpilogue`: applied to each element. Its inputs follow the operation's own. */
  readonly epilogue?: Epilogue;
}

/** What the engine needs to trace, plan and run an operation. */
export interface Operation<A = Attributes> {
  /** In messages, profiles and keys of programs; no two operations may share one. */
  readonly name: string;
  /**
   * The inputs' element types, in order; the last one applies to all further inputs. All inputs marked 'any' must have the
   * same type. Default: f32 for all. Other types are rejected before `infer` is called.
   */
  readonly takes?: readonly (DType | 'any')[];
  /** The shape rule. Throws ShapeError. */
  infer(inputs: readonly TensorSpec[], attributes: A): TensorSpec[];
  /** Kernels, as text. */
  lower(problem: Problem<A>, traits: AdapterTraits): Lowering;
  /**
   * `[output, input]` pairs that share memory: the kernel finds the input in the output's binding and updates it there. If
   * the input's content is still needed, the kernel gets a copy: to its callers the operation is pure.
   */
  readonly inPlace?: readonly (readonly [number, number])[];
  /** Output 0 is part of input 0, or all of it with another shape: no kernel runs. */
  readonly view?: View<A>;
  /**
   * Output 0 is the concatenation of all inputs at these element offsets (multiples of 64). The planner lets producers write
   * directly to their destination. `lower` has one step per input, which runs only if that was impossible.
   */
  packOffsets?(attributes: A, inputs: readonly TensorSpec[]): readonly number[];
  /** The scalar WGSL expression of an elementwise operation, which lets `compile` fuse chains of them. */
  readonly elementwise?: Elementwise<A>;
  /** Its kernels apply the problem's epilogue to output 0, [N, C, …], before storing it. */
  readonly takesEpilogue?: true;
  /**
   * Output 0, [N, K/f², H·f, W·f], is input 0, [N, K, H, W], shuffled by the factor f: element (c·f² + i·f + j, y, x) moves to
   * (c, y·f + i, x·f + j).
   */
  shuffle?(attributes: A): number;
  /** Present if the operation is a reduction over axes. */
  readonly reduction?: Reduction<A>;
}

/** A view's offset in input 0, in elements; a multiple of 64 (WebGPU binds at multiples of 256 bytes). */
export interface View<A> {
  /** Elements of the input before the view's first; a multiple of 64. */
  offset(attributes: A): number;
}

/** A reduction over axes, as data, which lets `compile` compute its input on the fly. */
export interface Reduction<A> {
  /** The reduced axes of the input (sorted, non-negative), the divisor of the result, and how elements are combined: default by a sum. */
  describe(
    attributes: A,
    rank: number,
  ): { readonly axes: readonly number[]; readonly divisor: number; readonly fold?: Fold };
}

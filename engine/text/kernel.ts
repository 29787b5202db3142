/**
 * Kernels are plain data: text and numbers, without device, state or cache.
 *
 * A kernel can therefore be printed, compared, tested and timed in isolation. Pipelines are cached by the text.
 */

/** How one storage binding is used: `read` is `var<storage, read>`, `write` is `var<storage, read_write>`. */
export type Access = 'read' | 'write';

/** One dispatch: WGSL with an entry point `main`, its storage bindings in order, and its grid. */
export interface Kernel {
  /** Short label for profiles and validation errors, e.g. `conv2d.broadcast 3x3 64>64`. */
  readonly name: string;
  /** Its text, with the entry point `main`. */
  readonly wgsl: string;
  /** `@group(0) @binding(i)` for each storage buffer, in order. */
  readonly bindings: readonly Access[];
  /**
   * Numbers that are arguments instead of constants in the text: 32-bit words (u32, i32 or an f32's bits) in a uniform
   * buffer at `@binding(bindings.length)`. Its WGSL type is `array<vec4<u32>, ceil(n/4)>`; see {@link paramsDeclaration}.
   */
  readonly params?: readonly number[];
  /** Workgroup counts, each at most 65,535; {@link grid} spreads larger counts over two dimensions. */
  readonly workgroups: readonly [number, number, number];
}

/** A buffer of a lowering's step: an input or output of the operation, or scratch memory. */
export type Operand =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'scratch'; readonly index: number };

/** One kernel with one operand for each binding, in binding order. */
export interface Step {
  /** What is dispatched. */
  readonly kernel: Kernel;
  /** What its bindings refer to, in order. */
  readonly operands: readonly Operand[];
}

/** How an operation is computed: dispatches in order, and the scratch buffers between them (in 32-bit elements). */
export interface Lowering {
  /** The dispatches, in order. */
  readonly steps: readonly Step[];
  /** Sizes of the scratch buffers, in 32-bit elements. */
  readonly scratch: readonly number[];
}

/** Properties of an adapter that the choice and text of kernels may depend on. */
export interface AdapterTraits {
  /** As in {@link AdapterDescription}. */
  readonly vendor: string;
  /** As in {@link AdapterDescription}. */
  readonly architecture: string;
  /** A CPU driver (lavapipe, SwiftShader): loads are expensive, subgroup broadcasts nearly free. */
  readonly software: boolean;
  /** Lanes per subgroup if the adapter has one fixed size and the `subgroups` feature, else 0. */
  readonly subgroupSize: number;
  /** CPU threads of the system, which software drivers use. */
  readonly processors: number;
  /** Whether kernels may use 16-bit floats: the feature `shader-f16`. */
  readonly shaderF16: boolean;
  /** Most invocations of a workgroup. */
  readonly maxWorkgroupInvocations: number;
  /** Most bytes of workgroup memory. */
  readonly maxWorkgroupStorageBytes: number;
  /** Most storage buffers of a kernel. */
  readonly maxStorageBuffers: number;
  /** Most bytes of one binding, which limits the size of a tensor. */
  readonly maxBindingBytes: number;
  /** Whether every family uses its plain variant; see `DeviceOptions.kernels`. */
  readonly plain?: boolean;
  /** Choices measured on this adapter, if any. */
  readonly choices?: Choices;
}

/** Chooses the variant of a family (see `variants.ts`), from measurements or the record of an earlier run. */
export interface Choices {
  /** The name of a variant for the problem that `key` describes, or undefined. */
  find(family: string, key: string, problem: unknown): string | undefined;
}

/** The operation's input of this index, as an operand of a kernel. */
export const input = (index: number): Operand => ({ kind: 'input', index });
/** The operation's output of this index, as an operand of a kernel. */
export const output = (index: number): Operand => ({ kind: 'output', index });
/** The scratch buffer of this index, as an operand of a kernel. */
export const scratch = (index: number): Operand => ({ kind: 'scratch', index });

/** WebGPU's limit on workgroups per dimension of a dispatch. */
const MAX_WORKGROUPS = 65_535;

/** Spreads `count` workgroups over x and y. The kernel's linear index is `id.y * num.x + id.x`; it must check bounds. */
export function grid(count: number): [number, number, number] {
  if (count <= MAX_WORKGROUPS) return [Math.max(count, 1), 1, 1];
  const rows = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / rows), rows, 1];
}

/** Declares the uniform that holds the words of {@link Kernel.params}, which {@link param} reads; empty if there are none. */
export function paramsDeclaration(binding: number, count: number): string {
  if (count === 0) return '';
  return `@group(0) @binding(${binding}) var<uniform> params: array<vec4<u32>, ${Math.ceil(count / 4)}>;`;
}

/** The expression for word `index` of the parameters. */
export const param = (index: number): string => `params[${index >> 2}].${'xyzw'[index & 3]}`;

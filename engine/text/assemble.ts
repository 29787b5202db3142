/** Builds a kernel around its statements: bindings, sizes, `main`, and the loops that most kernels share. */
import { type AdapterTraits, grid, type Kernel } from './kernel.ts';
import { BITS, callsBits } from './literal.ts';
import type { Numbers } from './numbers.ts';

/** What {@link assemble} makes a kernel of. */
export interface KernelParts {
  /** In messages and profiles. */
  readonly name: string;
  /** Inputs, in binding order: a name for `array<f32>`, or `name: type`. */
  readonly reads: readonly string[];
  /** Outputs, in the same form; default `result`. */
  readonly writes?: readonly string[];
  /** Sizes and other numbers that the text uses. */
  readonly numbers: Numbers;
  /** Module-scope declarations. */
  readonly declarations?: string;
  /** Invocations per workgroup. */
  readonly lanes: number;
  /** Number of workgroups. */
  readonly groups: number;
  /** Statements that may use `lane` (u32), `group` (i32, over all workgroups) and the numbers. */
  readonly body: string;
}

/** A kernel whose bindings are its inputs, its outputs, then the numbers. */
export function assemble(parts: KernelParts): Kernel {
  const { name, reads, writes = ['result'], numbers, declarations = '', lanes, groups, body } = parts;
  const typed = (binding: string) => (binding.includes(':') ? binding : `${binding}: array<f32>`);
  const bindings = [
    ...reads.map(binding => `var<storage, read> ${typed(binding)};`),
    ...writes.map(binding => `var<storage, read_write> ${typed(binding)};`),
  ];
  const wgsl = `${bindings.map((binding, i) => `@group(0) @binding(${i}) ${binding}`).join('\n')}
${numbers.binding(bindings.length)}
${declarations}
@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_index) lane: u32
) {
  ${numbers.locals}
  let group = i32(id.y * num.x + id.x);
  ${body}
}`;
  return {
    name,
    wgsl: callsBits(wgsl) && !wgsl.includes(BITS) ? `${wgsl}\n${BITS}` : wgsl,
    bindings: [...reads.map(() => 'read' as const), ...writes.map(() => 'write' as const)],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(groups),
  };
}

const LANES = 64;

/** Elements per workgroup: launching one costs a software adapter as much as 1,100 multiply-adds. */
const elementsOfGroup = ({ software }: Pick<AdapterTraits, 'software'>): number => (software ? 2048 : LANES);

/** What {@link assembleElements} makes a kernel of. */
export interface ElementParts extends Omit<KernelParts, 'lanes' | 'groups'> {
  /** Number of elements to compute, and the same as a WGSL expression. */
  readonly elements: number;
  /** `elements` as a WGSL expression of type i32. */
  readonly count: string;
  /** Statements that run once per invocation, before the loop over elements. */
  readonly before?: string;
  /** Elements are expensive (a loop over channels): workgroups take few, so that all cores have work. */
  readonly heavy?: boolean;
}

/** A kernel whose body computes one element, `index` (i32); `continue` skips it. */
export function assembleElements(parts: ElementParts, traits: Pick<AdapterTraits, 'software'>): Kernel {
  const { elements, count, before = '', heavy = false, body, ...rest } = parts;
  const each = heavy ? LANES : elementsOfGroup(traits);
  // The trip count is unknown to the driver: unrolled loops take a second to compile and run at half the speed.
  const walk = `${before}
  let end = min(${count}, (group + 1) * ${each});
  for (var index = group * ${each} + i32(lane); index < end; index += ${LANES}) {
    ${body}
  }`;
  return assemble({ ...rest, lanes: LANES, groups: Math.ceil(elements / each), body: walk });
}

/** Statements that split `index` into coordinates `a0 …` along `axes` of sizes `d0 …`, innermost last. */
export function coordinates(index: string, axes: readonly number[]): string[] {
  const statements: string[] = [];
  let rest = index;
  for (let i = axes.length - 1; i > 0; i--) {
    const axis = axes[i];
    statements.push(`let a${axis} = ${rest} % d${axis};`, `let r${axis} = ${rest} / d${axis};`);
    rest = `r${axis}`;
  }
  if (axes.length > 0) statements.push(`let a${axes[0]} = ${rest};`);
  return statements;
}

/**
 * Declares `one`, a 1 that the driver does not know. Software drivers unroll loops with a known trip count, which takes
 * seconds to compile and runs at half the speed: multiply the trip count by `one`. `binding` is any array that is read.
 */
export const hiddenOne = (binding: string): string => `let one = min(1, i32(arrayLength(&${binding})));`;

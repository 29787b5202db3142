/** The inputs of ONNX's nodes. */
import { type DType, type Shape, type Tensor, tensor } from '../../index.ts';

/** An attribute of a node, or an array in a test. */
export interface HostArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Undefined where the type cannot be expressed. NaN is null, infinities are strings. */
  readonly data: readonly (number | null | 'inf' | '-inf')[] | null;
}

export type Attributes = Readonly<Record<string, unknown>>;

/** What Daybreak has no operation or type for. */
export class Inexpressible extends Error {}

export const refuse = (what: string): never => {
  throw new Inexpressible(what);
};

/** Types that can be expressed. */
export const TYPES: Readonly<Record<string, DType>> = {
  float32: 'f32',
  int32: 'i32',
  int64: 'i32',
  uint32: 'u32',
  bool: 'bool',
};
/** ONNX's numbers of types. */
export const NUMBERED: Readonly<Record<number, string>> = {
  1: 'float32',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  12: 'uint32',
};

const numberOf = (value: number | null | 'inf' | '-inf'): number =>
  value === null
    ? Number.NaN
    : value === 'inf'
      ? Number.POSITIVE_INFINITY
      : value === '-inf'
        ? Number.NEGATIVE_INFINITY
        : value;

/** The numbers of an array. */
export function numbersOf({ dtype, data }: HostArray): number[] {
  if (!data) return refuse(`type ${dtype}`);
  return data.map(numberOf);
}

/** An array on the GPU. int64 becomes i32 if it fits. */
export function upload(array: HostArray): Tensor {
  const dtype = TYPES[array.dtype] ?? refuse(`type ${array.dtype}`);
  const numbers = numbersOf(array);
  if (array.shape.includes(0)) return refuse('a dimension of 0');
  if (dtype === 'i32' && numbers.some(value => value !== (value | 0))) return refuse('int64 beyond i32');
  const Kind = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Float32Array }[dtype];
  const content = dtype === 'bool' ? numbers.map(Boolean) : Kind.from(numbers);
  return tensor(content, array.shape);
}

/** A node's inputs: on the GPU, and as numbers where an operator takes shapes, axes and the like. */
export class Inputs {
  readonly arrays: readonly (HostArray | undefined)[];
  readonly attributes: Attributes;
  /** Number of outputs that are wanted. */
  readonly outputs: number;
  /** Version of the operators. */
  readonly opset: number;

  constructor(arrays: readonly (HostArray | undefined)[], attributes: Attributes, outputs: number, opset: number) {
    this.arrays = arrays;
    this.attributes = attributes;
    this.outputs = outputs;
    this.opset = opset;
  }

  has(i: number): boolean {
    return this.arrays[i] !== undefined;
  }
  at(i: number): Tensor {
    return upload(this.arrays[i] ?? refuse(`input ${i} is missing`));
  }
  maybe(i: number): Tensor | undefined {
    return this.has(i) ? this.at(i) : undefined;
  }
  numbers(i: number): number[] | undefined {
    const array = this.arrays[i];
    return array && numbersOf(array);
  }
  number(i: number): number | undefined {
    return this.numbers(i)?.[0];
  }
  all(): Tensor[] {
    return this.arrays.map((_, i) => this.at(i));
  }
  shape(i = 0): Shape {
    return this.arrays[i]?.shape ?? refuse(`input ${i} is missing`);
  }
  dtype(i = 0): DType {
    return TYPES[this.arrays[i]?.dtype ?? ''] ?? refuse('type');
  }
  int(name: string, otherwise: number): number {
    return (this.attributes[name] as number | undefined) ?? otherwise;
  }
  ints(name: string): number[] | undefined {
    return this.attributes[name] as number[] | undefined;
  }
  text(name: string, otherwise: string): string {
    return (this.attributes[name] as string | undefined) ?? otherwise;
  }
  only(...known: string[]): void {
    const other = Object.keys(this.attributes).find(name => !known.includes(name));
    if (other) refuse(`attribute ${other}`);
  }
}

export type Operator = (inputs: Inputs) => Tensor | Tensor[];

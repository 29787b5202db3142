/**
 * Builds ONNX models (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): a graph of operators with the weights
 * inside, opset 17, float32.
 */
import { type HostTensor, WeightsError } from '../nn/module.ts';
import { bytesField, floatField, joined, messageField, numberField, type Pieces, textField } from './protobuf.ts';

const OPSET = 17;
/** The version of the format that came with this opset, in ONNX 1.12. */
const IR_VERSION = 8;

/** TensorProto.DataType. */
const [FLOAT, INT64] = [1, 7];

/** An operator's attribute: a float, an integer, integers or a name. */
type Attribute = { readonly float: number } | number | readonly number[] | string;

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A graph's input or output: its name and its sizes, of which those that vary are names. */
export interface OnnxValue {
  /** Its name in the graph. */
  readonly name: string;
  /** Sizes, or names of sizes that are known only when the model runs. */
  readonly shape: readonly (number | string)[];
  /** What its numbers mean, e.g. "RGB from 0 to 1". */
  readonly description?: string;
}

/** What a model says of itself. */
export interface OnnxModel {
  /** The graph's name. */
  readonly name: string;
  /** The graph's only input. */
  readonly input: OnnxValue;
  /** The graph's only output. */
  readonly output: OnnxValue;
  /** What the model does, and what has to be done before and after it. */
  readonly description?: string;
  /** Further entries for programs, `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A graph in the making. Each method adds an operator and returns the name of its result. Layers are found by their names in
 * the state, as a file has them: `conv_in` has `conv_in.weight` and perhaps `conv_in.bias`.
 */
export class OnnxGraph {
  readonly #weights: ReadonlyMap<string, HostTensor>;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Pieces>();
  readonly #names = new Map<string, number>();

  constructor(weights: ReadonlyMap<string, HostTensor>) {
    this.#weights = weights;
  }

  /** Convolution of stride 1 that keeps the size, if its kernel is odd. Pads with zeros or by repeating the edges. */
  conv(layer: string, x: string, { edges = 'zero' }: { readonly edges?: 'zero' | 'replicate' } = {}): string {
    const [, , height, width] = this.#tensor(`${layer}.weight`).shape;
    const pads = [height >> 1, width >> 1, height >> 1, width >> 1];
    const inputs = [this.#weight(`${layer}.weight`)];
    if (this.#weights.has(`${layer}.bias`)) inputs.push(this.#weight(`${layer}.bias`));
    const kernel = { kernel_shape: [height, width] };
    if (edges === 'zero' || pads.every(pad => pad === 0))
      return this.#add('Conv', layer, [x, ...inputs], { ...kernel, pads });
    const padded = this.#add(
      'Pad',
      `${layer}.pad`,
      [x, this.#integers([0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]])],
      {
        mode: 'edge',
      },
    );
    return this.#add('Conv', layer, [padded, ...inputs], kernel);
  }

  /** 1×1 convolution to one plane by weights [C]. */
  weightedSum(weights: string, x: string): string {
    const { shape } = this.#tensor(weights);
    return this.#add('Conv', 'sum', [x, this.#weight(weights, [1, ...shape, 1, 1])], { kernel_shape: [1, 1] });
  }

  /** Batch normalization by the running statistics. `eps`: as the layer's. */
  batchNorm(layer: string, x: string, eps = 1e-5): string {
    const inputs = ['weight', 'bias', 'running_mean', 'running_var'].map(name => this.#weight(`${layer}.${name}`));
    return this.#add('BatchNormalization', layer, [x, ...inputs], { epsilon: { float: eps } });
  }

  /** Slopes per channel, or one. */
  prelu(layer: string, x: string): string {
    const { shape } = this.#tensor(`${layer}.weight`);
    return this.#add('PRelu', layer, [x, this.#weight(`${layer}.weight`, [...shape, 1, 1])]);
  }

  /** max(x, 0). */
  relu(x: string): string {
    return this.#add('Relu', 'relu', [x]);
  }

  /** The hyperbolic tangent of x. */
  tanh(x: string): string {
    return this.#add('Tanh', 'tanh', [x]);
  }

  /** a + b. */
  add(a: string, b: string): string {
    return this.#add('Add', 'add', [a, b]);
  }

  /** Concatenates channels. */
  concat(parts: readonly string[]): string {
    return this.#add('Concat', 'concat', parts, { axis: 1 });
  }

  /** PyTorch's `pixel_shuffle`: [N, C·r², H, W] to [N, C, r·H, r·W]. */
  pixelShuffle(x: string, factor: number): string {
    return this.#add('DepthToSpace', 'shuffle', [x], { blocksize: factor, mode: 'CRD' });
  }

  /** The model whose output is `result`. */
  encode(result: string, { name, input, output, description = '', metadata = {} }: OnnxModel): Uint8Array<ArrayBuffer> {
    const called = (value: string) => (value === result ? output.name : value);
    const nodes = this.#nodes.map(node =>
      messageField(
        1,
        ...node.inputs.map(value => textField(1, called(value))),
        textField(2, called(node.output)),
        textField(3, node.output),
        textField(4, node.operator),
        ...Object.entries(node.attributes).map(([key, value]) => attribute(key, value)),
      ),
    );
    const graph = messageField(
      7,
      ...nodes,
      textField(2, name),
      ...this.#initializers.values(),
      valueInfo(11, input),
      valueInfo(12, output),
    );
    const properties = Object.entries(metadata).map(([key, value]) =>
      messageField(14, textField(1, key), textField(2, value)),
    );
    const opset = messageField(8, textField(1, ''), numberField(2, OPSET));
    const model = [numberField(1, IR_VERSION), textField(2, 'daybreak'), textField(6, description), graph, opset];
    return joined([...model, ...properties].flat());
  }

  #add(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    // A layer can be applied repeatedly.
    const earlier = this.#names.get(name) ?? 0;
    this.#names.set(name, earlier + 1);
    const output = earlier === 0 ? name : `${name}:${earlier + 1}`;
    this.#nodes.push({ operator, inputs, output, attributes });
    return output;
  }

  #tensor(name: string) {
    const found = this.#weights.get(name);
    if (!found) throw new WeightsError(`missing weights: ${name}.`);
    return found;
  }

  /** Adds a weight, once. */
  #weight(name: string, shape = this.#tensor(name).shape): string {
    const { data } = this.#tensor(name);
    this.#initializers.set(name, initializer(name, FLOAT, shape, littleEndian(data)));
    return name;
  }

  #integers(values: readonly number[]): string {
    const name = `[${values.join(', ')}]`;
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#initializers.set(name, initializer(name, INT64, [values.length], bytes));
    return name;
  }
}

/** WebGPU's platforms are little-endian, as `raw_data` is. */
const littleEndian = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** TensorProto. */
const initializer = (name: string, type: number, shape: readonly number[], bytes: Uint8Array): Pieces =>
  messageField(
    5,
    ...shape.map(size => numberField(1, size)),
    numberField(2, type),
    textField(8, name),
    bytesField(9, bytes),
  );

/** ValueInfoProto: name; type { tensor_type { elem_type, shape { dim { dim_value or dim_param } } } }; doc_string. */
function valueInfo(field: number, { name, shape, description = '' }: OnnxValue): Pieces {
  const dimensions = shape.map(size =>
    messageField(1, typeof size === 'number' ? numberField(1, size) : textField(2, size)),
  );
  const tensor = messageField(1, numberField(1, FLOAT), messageField(2, ...dimensions));
  return messageField(field, textField(1, name), messageField(2, tensor), textField(3, description));
}

/** AttributeProto: name; f, i, s or ints; type. */
function attribute(name: string, value: Attribute): Pieces {
  const [type, ...content] = typed(value);
  return messageField(5, textField(1, name), ...content, numberField(20, type));
}

function typed(value: Attribute): [type: number, ...content: Pieces[]] {
  if (typeof value === 'number') return [2, numberField(3, value)];
  if (typeof value === 'string') return [3, textField(4, value)];
  if ('float' in value) return [1, floatField(2, value.float)];
  return [7, ...value.map(each => numberField(8, each))];
}

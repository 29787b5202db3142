/** Encodes a model of one convolution in ONNX's format (protocol buffers), without a library. */
import type { ConvolutionWork, HostArray } from './works.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const join = (parts: readonly Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts));

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 128);
  }
}

// Wire types of protocol buffers: 0, a number; 2, length-prefixed bytes, which may be a nested message.
const number = (field: number, value: number): Bytes => Uint8Array.from([...varint(field * 8), ...varint(value)]);
const bytes = (field: number, content: Bytes): Bytes =>
  join([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
const text = (field: number, content: string): Bytes => bytes(field, Uint8Array.from(Buffer.from(content)));
const message = (field: number, ...parts: readonly Bytes[]): Bytes => bytes(field, join(parts));

const FLOAT = 1;
const INTS = 7;

/** ValueInfoProto: name; type { tensor_type { elem_type, shape { dim { dim_value } } } }. */
const value = (field: number, name: string, shape: readonly number[]): Bytes => {
  const dimensions = shape.map(size => message(1, number(1, size)));
  return message(field, text(1, name), message(2, message(1, number(1, FLOAT), message(2, ...dimensions))));
};

/** AttributeProto: name, ints, type. */
const integers = (name: string, values: readonly number[]): Bytes =>
  message(5, text(1, name), ...values.map(each => number(8, each)), number(20, INTS));

/** y = Conv(x, weight) with the weight inside, opset 17. */
export function convolutionModel(work: ConvolutionWork, weight: HostArray): Bytes {
  const { batch, inputs, outputs, height, width } = work;
  const content = new Uint8Array(weight.data.buffer, weight.data.byteOffset, weight.data.byteLength);
  const initializer = message(
    5,
    ...weight.shape.map(size => number(1, size)),
    number(2, FLOAT),
    text(8, 'weight'),
    bytes(9, content),
  );
  const node = message(
    1,
    text(1, 'x'),
    text(1, 'weight'),
    text(2, 'y'),
    text(4, 'Conv'),
    integers('pads', [1, 1, 1, 1]),
    integers('kernel_shape', [3, 3]),
  );
  const graph = message(
    7,
    node,
    text(2, 'convolution'),
    initializer,
    value(11, 'x', [batch, inputs, height, width]),
    value(12, 'y', [batch, outputs, height, width]),
  );
  return join([number(1, 8), graph, message(8, text(1, ''), number(2, 17))]);
}

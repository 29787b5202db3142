/** ONNX's operators by Daybreak's operations, as far as they can be expressed. */
import * as ops from '../../index.ts';
import { type Tensor, tensor } from '../../index.ts';
import { type HostArray, type Inputs, NUMBERED, numbersOf, type Operator, refuse, TYPES, upload } from './inputs.ts';
import { elements, gather, pad, scatter, slice } from './selection.ts';
import { conv, convTranspose, linear, planar, pool, resize, windowOf } from './windows.ts';

const { cast } = ops;
const unary =
  (f: (x: Tensor) => Tensor): Operator =>
  inputs =>
    f(inputs.at(0));
const floats = (x: Tensor): Tensor => cast(x, 'f32');
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Operator =>
  inputs =>
    f(inputs.at(0), inputs.at(1));
const variadic =
  (f: (a: Tensor, b: Tensor) => Tensor): Operator =>
  inputs =>
    inputs.all().reduce(f);

function axesOf(inputs: Inputs): readonly number[] | undefined {
  const axes = inputs.ints('axes') ?? inputs.numbers(1);
  if (axes?.length === 0 || (!axes && inputs.int('noop_with_empty_axes', 0))) return [];
  return axes;
}
const reduce =
  (f: (x: Tensor, options: { axes?: readonly number[]; keepDims: boolean }) => Tensor): Operator =>
  inputs => {
    const axes = axesOf(inputs);
    const keepDims = inputs.int('keepdims', 1) === 1;
    const x = inputs.at(0);
    const integers = x.dtype === 'i32' || x.dtype === 'u32';
    const noop = axes?.length === 0 && inputs.int('noop_with_empty_axes', 0) === 1;
    const options = { keepDims, ...(axes && (axes.length > 0 || noop) && { axes }) };
    const y = f(floats(x), options);
    return integers || inputs.dtype() === 'bool' ? cast(y, inputs.dtype()) : y;
  };
function softmaxLike(f: (x: Tensor, axis: number) => Tensor): Operator {
  return inputs => {
    const x = inputs.at(0);
    if (inputs.opset >= 13) return f(x, inputs.int('axis', -1));
    const axis = inputs.int('axis', 1);
    const at = axis < 0 ? axis + x.shape.length : axis;
    const rows = x.shape.slice(0, at).reduce((a, b) => a * b, 1);
    return ops.reshape(f(ops.reshape(x, [rows, -1]), 1), x.shape);
  };
}

const losses =
  (f: typeof ops.crossEntropy): Operator =>
  inputs => {
    if (inputs.outputs > 1 && inputs.outputs !== 2) refuse('outputs');
    const ignore = inputs.attributes.ignore_index as number | undefined;
    const weight = inputs.maybe(2);
    const options = {
      reduction: inputs.text('reduction', 'mean') as 'mean',
      ...(ignore !== undefined && { ignoreIndex: ignore }),
      ...(weight && { weight }),
    };
    const loss = f(inputs.at(0), inputs.at(1), options);
    return inputs.outputs === 2 ? [loss, ops.logSoftmax(inputs.at(0), 1)] : loss;
  };

const extreme =
  (f: typeof ops.argmax): Operator =>
  inputs => {
    const axis = inputs.int('axis', 0);
    const keepDims = inputs.int('keepdims', 1) === 1;
    const x = inputs.at(0);
    if (!inputs.int('select_last_index', 0)) return f(x, { axis, keepDims });
    const size = inputs.shape().at(axis)!;
    return ops.sub(size - 1, f(ops.flip(x, [axis < 0 ? axis + x.shape.length : axis]), { axis, keepDims }));
  };

function gemm(inputs: Inputs): Tensor {
  const [a, b] = [0, 1].map(i => (inputs.int(i ? 'transB' : 'transA', 0) ? ops.transpose(inputs.at(i)) : inputs.at(i)));
  const product = ops.mul(ops.matmul(a, b), inputs.int('alpha', 1));
  return inputs.has(2) ? ops.add(product, ops.mul(inputs.at(2), inputs.int('beta', 1))) : product;
}

function reshapeOf(inputs: Inputs): Tensor {
  const [shape, wanted] = [inputs.shape(), inputs.numbers(1) ?? inputs.ints('shape')!];
  const zero = inputs.int('allowzero', 0) === 1;
  return ops.reshape(
    inputs.at(0),
    wanted.map((size, i) => (size === 0 && !zero ? shape[i] : size)),
  );
}

function normOf(inputs: Inputs, rms: boolean): Tensor[] {
  const x = inputs.at(0);
  const axis = inputs.int('axis', -1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const axes = x.shape.map((_, i) => i).slice(at);
  const eps = inputs.int('epsilon', 1e-5);
  const options = { axes, keepDims: true };
  const mean = ops.mean(x, options);
  const centred = rms ? x : ops.sub(x, mean);
  const inverse = ops.div(1, ops.sqrt(ops.add(ops.mean(ops.square(centred), options), eps)));
  const scaled = (y: Tensor) =>
    inputs.has(2) && !rms ? ops.add(ops.mul(y, inputs.at(1)), inputs.at(2)) : ops.mul(y, inputs.at(1));
  if (!rms) {
    const shape = x.shape.slice(at);
    if (inputs.shape(1).join() === shape.join()) {
      const bias = inputs.maybe(2);
      const y = ops.layerNorm(x, shape, { weight: inputs.at(1), ...(bias && { bias }), eps });
      return [y, mean, inverse].slice(0, inputs.outputs);
    }
  }
  return [scaled(ops.mul(centred, inverse)), mean, inverse].slice(0, inputs.outputs);
}

function split(inputs: Inputs): Tensor[] {
  const axis = inputs.int('axis', 0);
  const size = inputs.shape().at(axis)!;
  const parts = inputs.numbers(1) ?? inputs.ints('split');
  const each = Math.ceil(size / inputs.outputs);
  const sizes = parts ?? Array.from({ length: inputs.outputs }, (_, i) => Math.min(each, size - i * each));
  if (sizes.includes(0)) refuse('a dimension of 0');
  return ops.split(inputs.at(0), sizes, axis);
}

/** The part above or below a diagonal; the rest is 0. */
const triangle = (inputs: Inputs): Tensor => {
  if (inputs.shape().includes(0)) refuse('a dimension of 0');
  const [rows, columns] = inputs.shape().slice(-2);
  const k = inputs.number(1) ?? 0;
  const down = ops.reshape(ops.arange(rows), [rows, 1]);
  const across = ops.arange(columns);
  const distance = ops.sub(across, down);
  const kept = inputs.int('upper', 1) ? ops.greaterEqual(distance, k) : ops.lessEqual(distance, k);
  return ops.where(kept, inputs.at(0), 0);
};

export const OPERATORS: Readonly<Record<string, Operator>> = {
  Abs: unary(ops.abs),
  Add: binary(ops.add),
  And: binary(ops.logicalAnd),
  ArgMax: extreme(ops.argmax),
  ArgMin: extreme(ops.argmin),
  AveragePool: pool('avg'),
  BatchNormalization: inputs => {
    if (inputs.int('training_mode', 0)) refuse('training mode');
    return ops.batchNorm(
      inputs.at(0),
      inputs.at(1),
      inputs.at(2),
      inputs.at(3),
      inputs.at(4),
      inputs.int('epsilon', 1e-5),
    );
  },
  Cast: inputs => {
    const to = NUMBERED[inputs.int('to', 0)] ?? refuse('type');
    return cast(inputs.at(0), TYPES[to]);
  },
  CastLike: inputs => cast(inputs.at(0), inputs.dtype(1)),
  Ceil: unary(ops.ceil),
  Celu: inputs => {
    const alpha = inputs.int('alpha', 1);
    return ops.mul(ops.elu(ops.div(inputs.at(0), alpha)), alpha);
  },
  Clip: inputs => {
    const [min, max] = [inputs.number(1), inputs.number(2)];
    if (inputs.dtype() !== 'f32') {
      let x = inputs.at(0);
      if (min !== undefined) x = ops.maximum(x, min);
      return max === undefined ? x : ops.minimum(x, max);
    }
    return ops.clamp(inputs.at(0), min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY);
  },
  Concat: inputs => ops.concat(inputs.all(), inputs.int('axis', 0)),
  Constant: inputs => {
    const { value, value_float: float, value_int: int, value_floats: some, value_ints: ints } = inputs.attributes;
    if (value) return upload(value as HostArray);
    if (float !== undefined) return tensor(float as number);
    if (int !== undefined) return tensor(Int32Array.of(int as number), []);
    if (some) return tensor(some as number[]);
    return ints ? tensor(Int32Array.from(ints as number[])) : refuse('a constant');
  },
  ConstantOfShape: inputs => {
    const shape = inputs.numbers(0)!;
    if (shape.includes(0)) refuse('a dimension of 0');
    const value = inputs.attributes.value as HostArray | undefined;
    return ops.broadcastTo(value ? ops.reshape(upload(value), []) : tensor(0), shape);
  },
  Conv: conv,
  ConvTranspose: convTranspose,
  Cos: unary(ops.cos),
  CumSum: inputs => {
    let x = inputs.at(0);
    const axis = inputs.number(1)!;
    const at = axis < 0 ? axis + x.shape.length : axis;
    const back = inputs.int('reverse', 0) === 1;
    const type = x.dtype;
    if (type !== 'f32') x = floats(x);
    if (back) x = ops.flip(x, [at]);
    let y = ops.cumsum(x, at);
    if (inputs.int('exclusive', 0)) y = ops.sub(y, x);
    if (back) y = ops.flip(y, [at]);
    return cast(y, type);
  },
  DepthToSpace: inputs => {
    const r = inputs.int('blocksize', 1);
    if (inputs.text('mode', 'DCR') === 'CRD') return ops.pixelShuffle(inputs.at(0), r);
    const [n, c, h, w] = inputs.shape();
    const blocks = ops.reshape(inputs.at(0), [n, r, r, c / r ** 2, h, w]);
    return ops.reshape(ops.permute(blocks, [0, 3, 4, 1, 5, 2]), [n, c / r ** 2, h * r, w * r]);
  },
  Div: inputs => ops.div(inputs.at(0), inputs.at(1), { rounding: inputs.dtype() === 'f32' ? 'none' : 'trunc' }),
  Dropout: inputs => {
    if (inputs.number(2) && (inputs.number(1) ?? 0.5) > 0) refuse('random numbers of another generator');
    const x = inputs.at(0);
    return inputs.outputs === 2 ? [x, ops.broadcastTo(tensor(true), x.shape)] : x;
  },
  Einsum: inputs => ops.einsum(inputs.text('equation', ''), ...inputs.all()),
  Elu: inputs => ops.elu(inputs.at(0), inputs.int('alpha', 1)),
  Equal: binary(ops.equal),
  Erf: unary(ops.erf),
  Exp: unary(ops.exp),
  Expand: inputs => {
    const x = inputs.at(0);
    const wanted = inputs.numbers(1)!;
    const rank = Math.max(wanted.length, x.shape.length);
    const [a, b] = [x.shape, wanted].map(s => [...Array<number>(rank - s.length).fill(1), ...s]);
    return ops.broadcastTo(
      x,
      a.map((size, i) => Math.max(size, b[i])),
    );
  },
  EyeLike: inputs => {
    const [n, m] = inputs.shape();
    const distance = ops.sub(ops.arange(m), ops.reshape(ops.arange(n), [n, 1]));
    const type = NUMBERED[inputs.int('dtype', 0)];
    return cast(ops.equal(distance, inputs.int('k', 0)), type ? TYPES[type] : inputs.dtype());
  },
  Flatten: inputs => {
    const axis = inputs.int('axis', 1);
    const at = axis < 0 ? axis + inputs.shape().length : axis;
    const rows = inputs
      .shape()
      .slice(0, at)
      .reduce((a, b) => a * b, 1);
    return ops.reshape(inputs.at(0), [rows, -1]);
  },
  Floor: unary(ops.floor),
  Gather: gather,
  GatherElements: inputs =>
    ops.gather(
      ...((([x, index, axis]) => [x, axis, index]) as (of: [Tensor, Tensor, number]) => [Tensor, number, Tensor])(
        elements(inputs),
      ),
    ),
  Gelu: inputs => ops.gelu(inputs.at(0), { approximate: inputs.text('approximate', 'none') as 'none' }),
  Gemm: gemm,
  GlobalAveragePool: inputs => {
    const axes = inputs
      .shape()
      .map((_, i) => i)
      .slice(2);
    return ops.mean(inputs.at(0), { axes, keepDims: true });
  },
  GlobalMaxPool: inputs => {
    const axes = inputs
      .shape()
      .map((_, i) => i)
      .slice(2);
    return ops.max(inputs.at(0), { axes, keepDims: true });
  },
  Greater: binary(ops.greater),
  GreaterOrEqual: binary(ops.greaterEqual),
  GroupNormalization: inputs => {
    const groups = inputs.int('num_groups', 1);
    if (inputs.shape(1)[0] !== inputs.shape()[1]) refuse('one weight for each group');
    return ops.groupNorm(inputs.at(0), groups, {
      weight: inputs.at(1),
      bias: inputs.at(2),
      eps: inputs.int('epsilon', 1e-5),
    });
  },
  HardSigmoid: inputs =>
    ops.clamp(ops.add(ops.mul(inputs.at(0), inputs.int('alpha', 0.2)), inputs.int('beta', 0.5)), 0, 1),
  HardSwish: unary(x => ops.mul(x, ops.hardSigmoid(x))),
  Hardmax: inputs => {
    const axis = inputs.int('axis', -1);
    const x = inputs.at(0);
    const at = axis < 0 ? axis + x.shape.length : axis;
    const size = x.shape[at];
    const places = ops.reshape(
      ops.arange(size),
      x.shape.map((s, i) => (i === at ? s : 1)),
    );
    return floats(ops.equal(ops.argmax(x, { axis: at, keepDims: true }), places));
  },
  Identity: unary(x => x.alias()),
  InstanceNormalization: inputs =>
    ops.instanceNorm(inputs.at(0), { weight: inputs.at(1), bias: inputs.at(2), eps: inputs.int('epsilon', 1e-5) }),
  IsInf: inputs => {
    const [up, down] = [inputs.int('detect_positive', 1), inputs.int('detect_negative', 1)];
    const x = inputs.at(0);
    const sides = [up ? Number.POSITIVE_INFINITY : undefined, down ? Number.NEGATIVE_INFINITY : undefined];
    return sides
      .flatMap(s => (s === undefined ? [] : [ops.equal(x, s)]))
      .reduce(ops.logicalOr, ops.less(ops.abs(x), -1));
  },
  IsNaN: unary(x => ops.notEqual(x, x)),
  LayerNormalization: inputs => normOf(inputs, false),
  LeakyRelu: inputs => ops.leakyRelu(inputs.at(0), inputs.int('alpha', 0.01)),
  Less: binary(ops.less),
  LessOrEqual: binary(ops.lessEqual),
  Log: unary(ops.log),
  LogSoftmax: softmaxLike(ops.logSoftmax),
  LpNormalization: inputs => {
    const axes = [inputs.int('axis', -1)];
    const x = inputs.at(0);
    const size =
      inputs.int('p', 2) === 2
        ? ops.sqrt(ops.sum(ops.square(x), { axes, keepDims: true }))
        : ops.sum(ops.abs(x), { axes, keepDims: true });
    return ops.where(ops.equal(size, 0), 0, ops.div(x, size));
  },
  LpPool: inputs => {
    const p = inputs.int('p', 2);
    const kernel = inputs.ints('kernel_shape')!;
    const w = windowOf(inputs, kernel, inputs.shape().slice(2));
    if (w.dilation.some(d => d !== 1)) refuse('dilation of an average');
    const x = planar(inputs.at(0), w.rank);
    const powers = ops.pad(ops.pow(ops.abs(x), p), [[0, 0], [0, 0], ...w.padding]);
    const ceilMode = inputs.int('ceil_mode', 0) === 1;
    const sums = ops.mul(ops.avgPool2d(powers, w.kernel, { stride: w.stride, ceilMode }), w.kernel[0] * w.kernel[1]);
    return linear(ops.pow(sums, 1 / p), w.rank);
  },
  LRN: inputs => {
    const [size, alpha, beta, bias] = [
      inputs.int('size', 1),
      inputs.int('alpha', 1e-4),
      inputs.int('beta', 0.75),
      inputs.int('bias', 1),
    ];
    const x = inputs.at(0);
    const [n, c] = x.shape;
    const squares = ops.reshape(ops.square(x), [n, 1, c, -1]);
    const around: [number, number] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
    const means = ops.avgPool2d(ops.pad(squares, [[0, 0], [0, 0], around, [0, 0]]), [size, 1], { stride: 1 });
    return ops.div(x, ops.pow(ops.add(ops.mul(ops.reshape(means, x.shape), alpha), bias), beta));
  },
  MatMul: binary(ops.matmul),
  Max: variadic(ops.maximum),
  MaxPool: pool('max'),
  Mean: inputs => ops.div(inputs.all().reduce(ops.add), inputs.arrays.length),
  MeanVarianceNormalization: inputs => {
    const axes = inputs.ints('axes') ?? [0, 2, 3];
    const options = { axes, keepDims: true };
    const x = inputs.at(0);
    const centred = ops.sub(x, ops.mean(x, options));
    return ops.div(centred, ops.add(ops.sqrt(ops.mean(ops.square(centred), options)), 1e-9));
  },
  Min: variadic(ops.minimum),
  Mish: unary(x => ops.mul(x, ops.tanh(ops.softplus(x)))),
  Mod: inputs => {
    const [a, b] = [inputs.at(0), inputs.at(1)];
    const numbers = inputs.arrays.flatMap(array => (array ? numbersOf(array) : []));
    if (!numbers.every(Number.isFinite)) refuse('remainders of infinities');
    const rounding = inputs.int('fmod', 0) ? 'trunc' : 'floor';
    return ops.sub(a, ops.mul(b, ops.div(a, b, { rounding })));
  },
  Mul: binary(ops.mul),
  Neg: unary(ops.neg),
  NegativeLogLikelihoodLoss: losses(ops.nllLoss as typeof ops.crossEntropy),
  Not: unary(ops.logicalNot),
  OneHot: inputs => {
    const depth = inputs.number(1)!;
    const axis = inputs.int('axis', -1);
    const index = floats(inputs.at(0));
    const wrapped = ops.where(ops.less(index, 0), ops.add(index, depth), index);
    const [off, on] = inputs.numbers(2)!;
    const rank = index.shape.length + 1;
    const at = axis < 0 ? axis + rank : axis;
    const places = ops.reshape(
      ops.arange(depth),
      Array.from({ length: rank }, (_, i) => (i === at ? depth : 1)),
    );
    return cast(ops.where(ops.equal(ops.unsqueeze(wrapped, at), places), on, ops.full([1], off)), inputs.dtype(2));
  },
  Or: binary(ops.logicalOr),
  PRelu: inputs => {
    const x = inputs.at(0);
    return ops.where(ops.less(x, 0), ops.mul(x, inputs.at(1)), x);
  },
  Pad: pad,
  Pow: inputs => {
    const type = inputs.dtype();
    const y = ops.pow(floats(inputs.at(0)), floats(inputs.at(1)));
    return type === 'f32' ? y : cast(ops.round(y), type);
  },
  RMSNormalization: inputs => normOf(inputs, true),
  Range: inputs => {
    const [start, limit, delta] = [0, 1, 2].map(i => inputs.number(i)!);
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (count === 0) refuse('a dimension of 0');
    return cast(ops.add(ops.mul(ops.arange(count), delta), start), inputs.dtype());
  },
  Reciprocal: unary(x => ops.div(1, x)),
  ReduceL1: reduce((x, o) => ops.sum(ops.abs(x), o)),
  ReduceL2: reduce((x, o) => ops.sqrt(ops.sum(ops.square(x), o))),
  ReduceLogSum: reduce((x, o) => ops.log(ops.sum(x, o))),
  ReduceLogSumExp: reduce((x, o) => ops.logSumExp(x, o)),
  ReduceMax: reduce(ops.max),
  ReduceMean: reduce(ops.mean),
  ReduceMin: reduce(ops.min),
  ReduceProd: reduce(ops.prod),
  ReduceSum: reduce(ops.sum),
  ReduceSumSquare: reduce((x, o) => ops.sum(ops.square(x), o)),
  Relu: unary(ops.relu),
  Reshape: reshapeOf,
  Resize: resize,
  Round: unary(ops.round),
  Scatter: scatter,
  ScatterElements: scatter,
  Selu: inputs =>
    ops.mul(ops.elu(inputs.at(0), inputs.int('alpha', 1.6732632)), inputs.int('gamma', 1.0507010221481323)),
  Shape: inputs => {
    const shape = inputs.shape();
    const [from, to] = [inputs.int('start', 0), inputs.int('end', shape.length)];
    const part = shape.slice(from, to);
    return part.length === 0 ? refuse('a dimension of 0') : tensor(Int32Array.from(part));
  },
  Shrink: inputs => {
    const [bias, lambd] = [inputs.int('bias', 0), inputs.int('lambd', 0.5)];
    const x = inputs.at(0);
    return ops.where(ops.less(x, -lambd), ops.add(x, bias), ops.where(ops.greater(x, lambd), ops.sub(x, bias), 0));
  },
  Sigmoid: unary(ops.sigmoid),
  Sign: unary(ops.sign),
  Sin: unary(ops.sin),
  Size: inputs => tensor(Int32Array.of(inputs.shape().reduce((a, b) => a * b, 1)), []),
  Slice: slice,
  Softmax: softmaxLike(ops.softmax),
  SoftmaxCrossEntropyLoss: losses(ops.crossEntropy),
  Softplus: unary(ops.softplus),
  Softsign: unary(ops.softsign),
  SpaceToDepth: inputs => {
    inputs.only('blocksize');
    const r = inputs.int('blocksize', 1);
    const [n, c, h, w] = inputs.shape();
    const blocks = ops.reshape(inputs.at(0), [n, c, h / r, r, w / r, r]);
    return ops.reshape(ops.permute(blocks, [0, 3, 5, 1, 2, 4]), [n, c * r ** 2, h / r, w / r]);
  },
  Split: split,
  Sqrt: unary(ops.sqrt),
  Squeeze: inputs => {
    const axes = inputs.ints('axes') ?? inputs.numbers(1);
    return axes ? ops.squeeze(inputs.at(0), axes) : ops.squeeze(inputs.at(0));
  },
  Sub: binary(ops.sub),
  Sum: variadic(ops.add),
  Swish: inputs => {
    const x = inputs.at(0);
    return ops.mul(x, ops.sigmoid(ops.mul(x, inputs.int('alpha', 1))));
  },
  Tanh: unary(ops.tanh),
  Tan: unary(x => ops.div(ops.sin(x), ops.cos(x))),
  Sinh: unary(x => ops.mul(ops.sub(ops.exp(x), ops.exp(ops.neg(x))), 0.5)),
  Cosh: unary(x => ops.mul(ops.add(ops.exp(x), ops.exp(ops.neg(x))), 0.5)),
  Asinh: unary(x => ops.log(ops.add(x, ops.sqrt(ops.add(ops.square(x), 1))))),
  Acosh: unary(x => ops.log(ops.add(x, ops.sqrt(ops.sub(ops.square(x), 1))))),
  Atanh: unary(x => ops.mul(ops.log(ops.div(ops.add(1, x), ops.sub(1, x))), 0.5)),
  ThresholdedRelu: inputs => {
    const x = inputs.at(0);
    return ops.where(ops.greater(x, inputs.int('alpha', 1)), x, 0);
  },
  Tile: inputs => {
    const repeats = inputs.numbers(1)!;
    return repeats.reduce(
      (x, count, axis) =>
        ops.concat(
          Array.from({ length: count }, () => x),
          axis,
        ),
      inputs.at(0),
    );
  },
  Transpose: inputs => {
    const order =
      inputs.ints('perm') ??
      inputs
        .shape()
        .map((_, i) => i)
        .reverse();
    return ops.permute(inputs.at(0), order);
  },
  Trilu: triangle,
  Unsqueeze: inputs => {
    const axes = inputs.ints('axes') ?? inputs.numbers(1)!;
    const rank = inputs.shape().length + axes.length;
    const at = axes.map(a => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
    return at.reduce((x, axis) => ops.unsqueeze(x, axis), inputs.at(0));
  },
  Upsample: inputs => {
    if (inputs.text('mode', 'nearest') !== 'nearest') refuse('mode');
    const scales = inputs.numbers(1)!;
    if (inputs.shape().length !== 4 || scales[0] !== 1 || scales[1] !== 1) refuse('axes of Upsample');
    const [, , h, w] = inputs.shape();
    return ops.interpolate(inputs.at(0), { size: [h * scales[2], w * scales[3]], mode: 'nearest' });
  },
  Where: inputs => ops.where(inputs.at(0), inputs.at(1), inputs.at(2)),
  Xor: inputs => ops.notEqual(cast(inputs.at(0), 'bool'), cast(inputs.at(1), 'bool')),
};

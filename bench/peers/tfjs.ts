/** TensorFlow.js on its WebGPU backend: NHWC and HWIO, tidy, optimizer.minimize. */
import { type Peer, type Prepared, serve, settle, steps } from './serve.ts';
import { exposeWebGpu } from './webgpu-globals.ts';
import {
  type Arrays,
  blocksOf,
  type ClassifyingWork,
  type ConvolutionWork,
  type HostArray,
  type Pass,
  type TrainingWork,
} from './works.ts';

const adapter = await exposeWebGpu();
// Not tfjs-core: its bundle for Node registers no gradients.
const tf = await import('@tensorflow/tfjs');
await import('@tensorflow/tfjs-backend-webgpu');
await tf.setBackend('webgpu');
await tf.ready();
type Tensor1D = import('@tensorflow/tfjs').Tensor1D;
type Tensor2D = import('@tensorflow/tfjs').Tensor2D;
type Tensor4D = import('@tensorflow/tfjs').Tensor4D;
type Tensor = import('@tensorflow/tfjs').Tensor;

/** Permutes dimensions of row-major numbers: dimension i of the result is `order[i]` of the array. */
function permuted({ shape, data }: HostArray, order: readonly number[]): HostArray {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const sizes = order.map(i => shape[i]);
  const steps = order.map(i => strides[i]);
  const result = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  for (let i = 0, from = 0; i < result.length; i++) {
    result[i] = data[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= sizes[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return { shape: sizes, data: result };
}

const toNhwc = (array: HostArray) => permuted(array, [0, 2, 3, 1]);
const toNchw = (array: HostArray) => permuted(array, [0, 3, 1, 2]);
const toHwio = (array: HostArray) => permuted(array, [2, 3, 1, 0]);
const toOihw = (array: HostArray) => permuted(array, [3, 2, 0, 1]);
const upload = ({ shape, data }: HostArray) => tf.tensor(data, [...shape]);
const read = async (tensor: Tensor): Promise<HostArray> => ({
  shape: tensor.shape,
  data: Float32Array.from(await tensor.data()),
});

/** TensorFlow.js can only wait by reading: read one element, so that the transfer is negligible. */
async function finished(tensor: Tensor): Promise<void> {
  const one = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), [0], [1]));
  await one.data();
  one.dispose();
}

async function convolution(_: ConvolutionWork, pass: Pass, inputs: Arrays): Promise<Prepared> {
  const x = upload(toNhwc(inputs.x)) as Tensor4D;
  const weight = upload(toHwio(inputs.weight)) as Tensor4D;
  const dy = upload(toNhwc(inputs.dy));
  const forward = (x: Tensor, weight: Tensor) => tf.conv2d(x as Tensor4D, weight as Tensor4D, 1, 'same');
  const gradients = tf.grads(forward);
  let last: Tensor[] = [];
  return {
    async run(count, wait) {
      for (let i = 0; i < count; i++) {
        tf.dispose(last);
        last = pass === 'forward' ? [forward(x, weight)] : gradients([x, weight], dy);
      }
      await settle(finished(last.at(-1)!), wait);
    },
    async results() {
      const [first, second] = await Promise.all(last.map(read));
      if (pass === 'forward') return { y: toNchw(first) };
      // grads() also runs the forward pass, but does not return its result.
      return { dx: toNchw(first), dweight: toOihw(second) };
    },
    release: () => tf.dispose([x, weight, dy, ...last]),
  };
}

/** Pixel shuffle in the order of tf.depthToSpace (which has no gradient): block row, block column, channel. */
function shuffle(x: Tensor4D): Tensor4D {
  const [n, h, w, c] = x.shape;
  const blocks = tf.reshape(x, [n, h, w, 2, 2, c / 4]);
  return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), [n, h * 2, w * 2, c / 4]);
}

/** Reorders weights or biases from PyTorch's output channels (channel, block row, block column) to that order. */
function forShuffle({ shape, data }: HostArray): HostArray {
  const [outputs, ...rest] = shape;
  const each = rest.reduce((a, b) => a * b, 1);
  const { data: swapped } = permuted({ shape: [outputs / 4, 4, each], data }, [1, 0, 2]);
  return { shape, data: swapped };
}

async function training({ blocks, learningRate }: TrainingWork, inputs: Arrays): Promise<Prepared> {
  const variables = new Map<string, Tensor>();
  const parameter = <T extends Tensor>(name: string): T => variables.get(name) as T;
  for (const [name, array] of Object.entries(inputs)) {
    if (name === 'lr' || name === 'hr') continue;
    const ordered = /^up\.\d\.conv/.test(name) ? forShuffle(array) : array;
    const initial = upload(ordered.shape.length === 4 ? toHwio(ordered) : ordered);
    variables.set(name, tf.variable(initial));
    initial.dispose();
  }
  const lr = upload(toNhwc(inputs.lr)) as Tensor4D;
  const hr = upload(toNhwc(inputs.hr)) as Tensor4D;

  const conv = (x: Tensor4D, layer: string): Tensor4D => {
    const y = tf.conv2d(x, parameter<Tensor4D>(`${layer}.weight`), 1, 'same');
    const bias = variables.get(`${layer}.bias`);
    return bias ? tf.add(y, bias) : y;
  };
  const norm = (x: Tensor4D, layer: string): Tensor4D => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(
      x,
      mean as Tensor1D,
      variance as Tensor1D,
      parameter<Tensor1D>(`${layer}.bias`),
      parameter<Tensor1D>(`${layer}.weight`),
      1e-5,
    ) as Tensor4D;
  };
  const prelu = (x: Tensor4D, layer: string): Tensor4D => tf.prelu(x, parameter<Tensor4D>(`${layer}.weight`));
  function model(x: Tensor4D): Tensor4D {
    const first = prelu(conv(x, 'conv_in'), 'prelu_in');
    let y = first;
    for (let i = 0; i < blocks; i++) {
      const block = `blocks.${i}`;
      const inner = prelu(norm(conv(y, `${block}.conv1`), `${block}.bn1`), `${block}.prelu`);
      y = tf.add(norm(conv(inner, `${block}.conv2`), `${block}.bn2`), y);
    }
    y = tf.add(norm(conv(y, 'conv_mid'), 'bn_mid'), first);
    for (const stage of ['up.0', 'up.1']) y = prelu(shuffle(conv(y, `${stage}.conv`)), `${stage}.prelu`);
    return conv(y, 'conv_out');
  }

  const adam = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  const losses: number[] = [];
  async function step(): Promise<void> {
    const loss = adam.minimize(() => tf.losses.meanSquaredError(hr, model(lr)), true)!;
    losses.push((await loss.data())[0]);
    loss.dispose();
    // The loss is available before the update is done.
    await finished(parameter('conv_in.weight'));
  }
  return steps(step, losses, () => {
    adam.dispose();
    tf.dispose([lr, hr, ...variables.values()]);
  });
}

async function classifying(work: ClassifyingWork, inputs: Arrays): Promise<Prepared> {
  const variables = new Map<string, Tensor>();
  const parameter = <T extends Tensor>(name: string): T => variables.get(name) as T;
  for (const [name, array] of Object.entries(inputs)) {
    if (name === 'images' || name === 'labels') continue;
    const initial = upload(array.shape.length === 4 ? toHwio(array) : array);
    variables.set(name, tf.variable(initial));
    initial.dispose();
  }
  const images = upload(toNhwc(inputs.images)) as Tensor4D;
  const labels = tf.oneHot(tf.tensor1d(inputs.labels.data, 'int32'), work.classes).toFloat();

  // PyTorch's padding: the same on both sides, also where the stride is 2.
  const conv = (x: Tensor4D, layer: string, stride = 1): Tensor4D => {
    const weight = parameter<Tensor4D>(`${layer}.weight`);
    return tf.conv2d(x, weight, stride, (weight.shape[0] - 1) / 2, 'NHWC', 1, 'floor');
  };
  const norm = (x: Tensor4D, layer: string): Tensor4D => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const [offset, scale] = ['bias', 'weight'].map(part => parameter<Tensor1D>(`${layer}.${part}`));
    return tf.batchNorm(x, mean as Tensor1D, variance as Tensor1D, offset, scale, 1e-5) as Tensor4D;
  };
  function model(x: Tensor4D): Tensor2D {
    let y = tf.relu(norm(conv(x, 'conv'), 'bn'));
    for (const { name, stride } of blocksOf(work)) {
      const inner = tf.relu(norm(conv(y, `${name}.conv1`, stride), `${name}.bn1`));
      const shortcut = stride === 2 ? norm(conv(y, `${name}.shortcut.0`, stride), `${name}.shortcut.1`) : y;
      y = tf.relu(tf.add(norm(conv(inner, `${name}.conv2`), `${name}.bn2`), shortcut));
    }
    const features = tf.mean(y, [1, 2]) as Tensor2D;
    return tf.add(tf.matMul(features, parameter<Tensor2D>('fc.weight'), false, true), parameter('fc.bias'));
  }

  const sgd = tf.train.momentum(work.learningRate, 0.9);
  const losses: number[] = [];
  async function step(): Promise<void> {
    const loss = sgd.minimize(() => tf.losses.softmaxCrossEntropy(labels, model(images)), true)!;
    losses.push((await loss.data())[0]);
    loss.dispose();
    await finished(parameter('conv.weight'));
  }
  return steps(step, losses, () => {
    sgd.dispose();
    tf.dispose([images, labels, ...variables.values()]);
  });
}

await serve({
  version: tf.version.tfjs,
  adapter: adapter.name,
  software: adapter.software,
  passes: ['forward', 'forward+grads', 'step'],
  convolution,
  training,
  classifying,
} satisfies Peer);

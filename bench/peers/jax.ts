/** jax-js on WebGPU: NCHW and OIHW, with jit around everything. Using an array consumes it; `.ref` keeps it. */
import packageJson from './package.json' with { type: 'json' };
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
const {
  init,
  defaultDevice,
  jit,
  vjp,
  valueAndGrad,
  lax,
  nn,
  numpy: np,
  tree,
  blockUntilReady,
} = await import('@jax-js/jax');
if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js found no WebGPU');
defaultDevice('webgpu');
type JaxArray = import('@jax-js/jax').Array;
type Parameters = Record<string, JaxArray>;

const upload = ({ shape, data }: HostArray): JaxArray => np.array(data, { shape: [...shape] });
const read = async (array: JaxArray): Promise<HostArray> => ({
  shape: array.shape,
  data: Float32Array.from(await array.ref.data()),
});
const same = (x: JaxArray, weight: JaxArray, stride = 1): JaxArray => {
  const padding = (weight.shape[2] - 1) / 2;
  return lax.convGeneralDilated(
    x,
    weight,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );
};

async function convolution(_: ConvolutionWork, pass: Pass, inputs: Arrays): Promise<Prepared> {
  const arrays = [upload(inputs.x), upload(inputs.weight), upload(inputs.dy)] as const;
  const [x, weight, dy] = arrays;
  await blockUntilReady([...arrays]);
  const forward = jit(same);
  const withGradients = jit((x: JaxArray, weight: JaxArray, dy: JaxArray) => {
    const [y, back] = vjp(same, [x, weight]);
    const [dx, dweight] = back(dy);
    return [y, dx, dweight];
  });
  const once = (): JaxArray[] =>
    pass === 'forward' ? [forward(x.ref, weight.ref)] : withGradients(x.ref, weight.ref, dy.ref);
  let last: JaxArray[] = [];
  return {
    async run(count, wait) {
      for (const array of last) array.dispose();
      // Kernels are submitted when a result is awaited: nothing may be released before.
      const all = Array.from({ length: count }, once);
      await settle(blockUntilReady(all), wait);
      last = all.pop()!;
      for (const array of all.flat()) array.dispose();
    },
    async results() {
      const read_ = await Promise.all(last.map(read));
      return Object.fromEntries(['y', 'dx', 'dweight'].slice(0, last.length).map((name, i) => [name, read_[i]]));
    },
    release() {
      for (const array of [...arrays, ...last]) array.dispose();
    },
  };
}

const channels = (vector: JaxArray): JaxArray => vector.reshape([1, vector.shape[0], 1, 1]);

function conv(P: Parameters, layer: string, x: JaxArray): JaxArray {
  const y = same(x, P[`${layer}.weight`]);
  const bias = P[`${layer}.bias`];
  return bias ? y.add(channels(bias)) : y;
}

function norm(P: Parameters, layer: string, x: JaxArray): JaxArray {
  const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(channels(P[`${layer}.weight`]))
    .add(channels(P[`${layer}.bias`]));
}

const prelu = (P: Parameters, layer: string, x: JaxArray): JaxArray =>
  np.where(x.ref.greater(0), x.ref, x.mul(channels(P[`${layer}.weight`])));

function shuffle(x: JaxArray): JaxArray {
  const [n, c, h, w] = x.shape;
  const blocks = x.reshape([n, c / 4, 2, 2, h, w]);
  return np.transpose(blocks, [0, 1, 4, 2, 5, 3]).reshape([n, c / 4, h * 2, w * 2]);
}

function model(P: Parameters, blocks: number, x: JaxArray): JaxArray {
  const first = prelu(P, 'prelu_in', conv(P, 'conv_in', x));
  let y = first.ref;
  for (let i = 0; i < blocks; i++) {
    const block = `blocks.${i}`;
    const inner = prelu(P, `${block}.prelu`, norm(P, `${block}.bn1`, conv(P, `${block}.conv1`, y.ref)));
    y = norm(P, `${block}.bn2`, conv(P, `${block}.conv2`, inner)).add(y);
  }
  y = norm(P, 'bn_mid', conv(P, 'conv_mid', y)).add(first);
  for (const stage of ['up.0', 'up.1']) y = prelu(P, `${stage}.prelu`, shuffle(conv(P, `${stage}.conv`, y)));
  return conv(P, 'conv_out', y);
}

/** The whole step under jit, with a hand-written Adam: jax-js's optimizers are in a package that cannot be installed. */
async function training({ blocks, learningRate }: TrainingWork, inputs: Arrays): Promise<Prepared> {
  const { lr: lrPictures, hr: hrPictures, ...weights } = inputs;
  const [lr, hr] = [upload(lrPictures), upload(hrPictures)];
  let P: Parameters = Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, upload(array)]));
  let first = tree.map((p: JaxArray) => np.zeros(p.shape), P) as Parameters;
  let second = tree.map((p: JaxArray) => np.zeros(p.shape), P) as Parameters;
  const cost = (P: Parameters, lr: JaxArray, hr: JaxArray): JaxArray =>
    np.mean(np.square(model(P, blocks, lr).sub(hr)));
  const update = jit(
    (
      P: Parameters,
      m: Parameters,
      v: Parameters,
      scale1: JaxArray,
      scale2: JaxArray,
      lr: JaxArray,
      hr: JaxArray,
    ): [JaxArray, Parameters, Parameters, Parameters] => {
      const [loss, g] = valueAndGrad(cost)(tree.ref(P), lr, hr) as unknown as [JaxArray, Parameters];
      const m2 = tree.map((m: JaxArray, g: JaxArray) => m.mul(0.9).add(g.mul(0.1)), m, tree.ref(g)) as Parameters;
      const v2 = tree.map((v: JaxArray, g: JaxArray) => v.mul(0.999).add(np.square(g).mul(0.001)), v, g) as Parameters;
      const P2 = tree.map(
        (p: JaxArray, m: JaxArray, v: JaxArray) =>
          p.sub(
            m
              .mul(scale1.ref)
              .div(np.sqrt(v.mul(scale2.ref)).add(1e-8))
              .mul(learningRate),
          ),
        P,
        tree.ref(m2),
        tree.ref(v2),
      ) as Parameters;
      scale1.dispose();
      scale2.dispose();
      return [loss, P2, m2, v2];
    },
  );
  await blockUntilReady([P, first, second, lr, hr]);
  const losses: number[] = [];
  async function step(): Promise<void> {
    const t = losses.length + 1;
    const scales = [np.array(1 / (1 - 0.9 ** t)), np.array(1 / (1 - 0.999 ** t))] as const;
    let loss: JaxArray;
    [loss, P, first, second] = update(P, first, second, ...scales, lr.ref, hr.ref);
    losses.push((await loss.data())[0]);
    await blockUntilReady(P);
  }
  return steps(step, losses, () => {
    for (const array of [lr, hr, ...[P, first, second].flatMap(group => Object.values(group))]) array.dispose();
  });
}

function classify(P: Parameters, work: ClassifyingWork, x: JaxArray): JaxArray {
  const relu = (x: JaxArray) => nn.relu(x);
  const conv = (layer: string, x: JaxArray, stride = 1) => same(x, P[`${layer}.weight`], stride);
  let y = relu(norm(P, 'bn', conv('conv', x)));
  for (const { name, stride } of blocksOf(work)) {
    const inner = relu(norm(P, `${name}.bn1`, conv(`${name}.conv1`, y.ref, stride)));
    const shortcut = stride === 2 ? norm(P, `${name}.shortcut.1`, conv(`${name}.shortcut.0`, y, stride)) : y;
    y = relu(norm(P, `${name}.bn2`, conv(`${name}.conv2`, inner)).add(shortcut));
  }
  return np.dot(np.mean(y, [2, 3]), np.transpose(P['fc.weight'])).add(P['fc.bias']);
}

async function classifying(work: ClassifyingWork, inputs: Arrays): Promise<Prepared> {
  const { images: pictures, labels: wanted, ...weights } = inputs;
  const { batch, classes, learningRate } = work;
  const oneHot = new Float32Array(batch * classes);
  for (const [i, label] of wanted.data.entries()) oneHot[i * classes + label] = 1;
  const [images, labels] = [upload(pictures), upload({ shape: [batch, classes], data: oneHot })];
  let P: Parameters = Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, upload(array)]));
  let velocity = tree.map((p: JaxArray) => np.zeros(p.shape), P) as Parameters;
  const cost = (P: Parameters, images: JaxArray, labels: JaxArray): JaxArray =>
    np.sum(nn.logSoftmax(classify(P, work, images), -1).mul(labels)).mul(-1 / batch);
  const update = jit(
    (P: Parameters, v: Parameters, images: JaxArray, labels: JaxArray): [JaxArray, Parameters, Parameters] => {
      const [loss, g] = valueAndGrad(cost)(tree.ref(P), images, labels) as unknown as [JaxArray, Parameters];
      const v2 = tree.map((v: JaxArray, g: JaxArray) => v.mul(0.9).add(g), v, g) as Parameters;
      const P2 = tree.map((p: JaxArray, v: JaxArray) => p.sub(v.mul(learningRate)), P, tree.ref(v2)) as Parameters;
      return [loss, P2, v2];
    },
  );
  await blockUntilReady([P, velocity, images, labels]);
  const losses: number[] = [];
  async function step(): Promise<void> {
    let loss: JaxArray;
    [loss, P, velocity] = update(P, velocity, images.ref, labels.ref);
    losses.push((await loss.data())[0]);
    await blockUntilReady(P);
  }
  return steps(step, losses, () => {
    for (const array of [images, labels, ...[P, velocity].flatMap(group => Object.values(group))]) array.dispose();
  });
}

await serve({
  version: packageJson.dependencies['@jax-js/jax'],
  adapter: adapter.name,
  software: adapter.software,
  passes: ['forward', 'forward+grads', 'step'],
  convolution,
  training,
  classifying,
} satisfies Peer);

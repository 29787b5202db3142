/**
 * Small networks made of the public layers learn as their PyTorch twins do (golden/nn.py): the same weights at first, the
 * same batches, the same losses.
 */
import { expect, test } from 'vitest';
import { ResNet } from '../../bench/resnet.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import {
  add,
  arange,
  crossEntropy,
  div,
  einsum,
  gelu,
  grad,
  greater,
  matmul,
  mseLoss,
  mul,
  permute,
  reshape,
  softmax,
  split,
  squeeze,
  sum,
  unsqueeze,
} from '../../kernels/index.ts';
import {
  Adam,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  type Optimizer,
  ReLU,
  Sequential,
  SGD,
} from '../../nn/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { batchOf, GOLDEN, hashed, images, input } from './golden.ts';

sharedDevice();

/** Losses of as many steps as the golden curve has. */
async function curve(
  net: Module,
  optimizer: Optimizer,
  data: ReturnType<typeof images>,
  golden: readonly number[],
  lossOf = (x: Tensor, target: Tensor) => crossEntropy(net.forward(x), target),
): Promise<number[]> {
  using step = compile((x: Tensor, target: Tensor) => {
    const loss = lossOf(x, target);
    optimizer.minimize(loss);
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < golden.length; i++) {
    const { x, target } = batchOf(data, i, 16);
    losses.push((await takeOne(step(x, target)))[0]);
    x.dispose();
    target.dispose();
  }
  optimizer.dispose();
  net.dispose();
  return losses;
}

/** Largest difference of a curve. */
const difference = (losses: readonly number[], golden: readonly number[]) =>
  Math.max(...losses.map((loss, i) => Math.abs(loss - golden[i])));

test('a classifier of small pictures', async () => {
  const net = hashed(
    new Sequential(
      new Conv2d(1, 8, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(8, 16, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(16 * 4 * 4, 32),
      new ReLU(),
      new Linear(32, 10),
    ),
  );
  const adam = new Adam(net.parameters(), { lr: 2e-3 });
  const losses = await curve(net, adam, images(64, [1, 16, 16], 10, 20), GOLDEN.classifier);
  expect(losses.at(-1)).toBeLessThan(0.1);
  expect(difference(losses, GOLDEN.classifier)).toBeLessThan(1e-3);
});

// Where a ReLU's input is 0 but for rounding, trainings part: PyTorch's own, in float64, differ by up to 0.02 on the way
// after weights change by 1e-7. All end alike.
test('a narrow ResNet-18', async () => {
  const net = hashed(new ResNet(4, 10), name => /bn\d?\.|shortcut\.1\./.test(name));
  const sgd = new SGD(net.parameters(), { lr: 0.005, momentum: 0.9, weightDecay: 5e-4 });
  const losses = await curve(net, sgd, images(32, [3, 32, 32], 10, 30), GOLDEN.resnet);
  const last = (curve: readonly number[]) => curve.slice(-10);
  expect(difference(losses.slice(0, 3), GOLDEN.resnet)).toBeLessThan(1e-5);
  expect(difference(losses, GOLDEN.resnet)).toBeLessThan(0.02);
  expect(difference(last(losses), last(GOLDEN.resnet))).toBeLessThan(1e-3);
});

test('an autoencoder with transposed convolutions', async () => {
  const net = hashed(
    new Sequential(
      new Conv2d(1, 8, 3, { stride: 2, padding: 1 }),
      new ReLU(),
      new Conv2d(8, 4, 3, { stride: 2, padding: 1 }),
      new ReLU(),
      new ConvTranspose2d(4, 8, 4, { stride: 2, padding: 1 }),
      new ReLU(),
      new ConvTranspose2d(8, 1, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    ),
  );
  const adam = new Adam(net.parameters(), { lr: 2e-3 });
  const loss = (x: Tensor) => mseLoss(net.forward(x), x);
  const losses = await curve(net, adam, images(64, [1, 16, 16], 10, 20), GOLDEN.autoencoder, loss);
  expect(losses.at(-1)).toBeLessThan(0.42);
  expect(difference(losses, GOLDEN.autoencoder)).toBeLessThan(1e-3);
});

/** A block of a transformer (Vaswani et al. 2017) with norms before, as in GPT-2. */
class Transformer extends Module {
  readonly norm1: LayerNorm;
  readonly qkv: Linear;
  readonly project: Linear;
  readonly norm2: LayerNorm;
  readonly up: Linear;
  readonly down: Linear;
  readonly #heads: number;

  constructor(size: number, heads: number) {
    super();
    this.norm1 = new LayerNorm(size);
    this.qkv = new Linear(size, 3 * size);
    this.project = new Linear(size, size);
    this.norm2 = new LayerNorm(size);
    this.up = new Linear(size, 4 * size);
    this.down = new Linear(4 * size, size);
    this.#heads = heads;
  }

  forward(x: Tensor): Tensor {
    const [n, t, c] = x.shape;
    const size = c / this.#heads;
    return tidy(() => {
      const whole = reshape(this.qkv.forward(this.norm1.forward(x)), [n, t, 3, this.#heads, size]);
      const [q, k, v] = split(permute(whole, [2, 0, 3, 1, 4]), 1).map(part => squeeze(part, 0));
      // Each position sees itself and those before it.
      const positions = arange(t);
      const isLater = greater(unsqueeze(positions, 0), unsqueeze(positions, 1));
      const scores = add(div(einsum('nhqd,nhkd->nhqk', q, k), Math.sqrt(size)), mul(isLater, -1e9));
      const attended = permute(matmul(softmax(scores), v), [0, 2, 1, 3]);
      const y = add(x, this.project.forward(reshape(attended, [n, t, c])));
      return add(y, this.down.forward(gelu(this.up.forward(this.norm2.forward(y)))));
    });
  }
}

test.each(['eager', 'compiled'])('a block of a transformer, %s', async how => {
  using net = hashed(new Transformer(12, 3), name => /^norm/.test(name));
  const named = net.namedParameters();
  const body = (x: Tensor, upstream: Tensor) => {
    const y = net.forward(x);
    return [y, ...grad(sum(mul(y, upstream)), [x, ...named.map(([, parameter]) => parameter)])];
  };
  using compiled = compile(body);
  const results = await take(
    tidy(() => (how === 'eager' ? body : compiled)(input([2, 5, 12], 50), input([2, 5, 12], 51))),
  );
  const names = ['y', 'x', ...named.map(([name]) => name)];
  expect(names).toEqual(Object.keys(GOLDEN.transformer));
  names.forEach((name, i) => {
    expect(relativeError(results[i], [...GOLDEN.transformer[name]]), name).toBeLessThan(1e-5);
  });
});

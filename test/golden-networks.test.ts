/** SRCNN, ESPCN, VDSR, DRCN and SGD against PyTorch (golden/networks.py): layers, losses, gradients, steps. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { variable } from '../engine/variable.ts';
import { add, grad, mseLoss, mul, relu, reshape, tanh } from '../kernels/index.ts';
import type { DRCN } from '../models/drcn.ts';
import type { ESPCN } from '../models/espcn.ts';
import type { NetworkModule, UpscalingNetwork } from '../models/network.ts';
import { UPSCALERS } from '../models/networks.ts';
import { readSafetensors } from '../models/safetensors.ts';
import { SGD } from '../nn/optim/sgd.ts';
import { cutTo } from '../train/examples.ts';
import { sharedDevice, take } from './device.ts';
import { expectClose, tensorNamed, tensorsUnder, toTensor } from './golden-files.ts';

sharedDevice();

const file = readSafetensors(readFileSync(fileURLToPath(new URL('golden/networks.safetensors', import.meta.url))));

const NEAR = 1e-5;

/** What follows each layer but the last. */
const activationOf = (net: NetworkModule) => (net.network.name === 'espcn' ? tanh : relu);

/** Outputs of the layers with their activations, the network's output last. */
function layersOf(net: NetworkModule, x: Tensor): Tensor[] {
  if (net.network.name === 'drcn') {
    const residuals = (net as unknown as DRCN).residuals(x);
    return [add(residuals, x), net.forward(x)];
  }
  const { convs } = net as unknown as Pick<ESPCN, 'convs'>;
  const layers: Tensor[] = [];
  let y = x;
  for (const conv of convs.slice(0, -1)) {
    y = activationOf(net)(conv.forward(y));
    layers.push(y);
  }
  return [...layers, net.forward(x)];
}

/** The mean squared error; for DRCN that of all predictions and of the output, 0.7 and 0.3. */
function lossOf(net: NetworkModule, x: Tensor, target: Tensor): Tensor {
  const supervised = net.supervised?.(x);
  if (!supervised) {
    const y = net.inner(x);
    return mseLoss(y, cutTo(target, y));
  }
  const { predictions, output } = supervised;
  const [n = 0, depth = 0, height = 0, width = 0] = predictions.shape;
  const repeated = add(mul(predictions, 0), target);
  const all = [n * depth, 1, height, width];
  return add(mul(mseLoss(reshape(predictions, all), reshape(repeated, all)), 0.7), mul(mseLoss(output, target), 0.3));
}

const declared = (name: string): UpscalingNetwork => UPSCALERS.find(network => network.name === name)!;

describe.each(['srcnn', 'espcn', 'vdsr', 'drcn'])('%s', name => {
  test('layers, loss and gradients', async () => {
    const network = declared(name);
    const weights = tensorsUnder(file, `${name}.weights.`);
    using net = network.build(network.configOf(weights)).loadStateDict(weights);
    using x = toTensor(tensorNamed(file, `${name}.input`));
    using target = toTensor(tensorNamed(file, `${name}.target`));
    using step = compile((x: Tensor, target: Tensor) => {
      const loss = lossOf(net, x, target);
      return { loss, layers: layersOf(net, x), gradients: grad(loss, net.parameters()) };
    });
    const { loss, layers, gradients } = step(x, target);
    const [value, ...rest] = await take([loss, ...layers, ...gradients]);
    expectClose(value, tensorNamed(file, `${name}.loss`), NEAR, 'loss');
    const golden = tensorsUnder(file, `${name}.layer.`);
    expect(layers).toHaveLength(golden.size);
    for (const [i] of layers.entries()) expectClose(rest[i], golden.get(String(i))!, NEAR, `layer ${i}`);
    const names = net.namedParameters().map(([key]) => key);
    expect(new Set(names)).toEqual(new Set(weights.keys()));
    for (const [i, key] of names.entries())
      expectClose(rest[layers.length + i], tensorNamed(file, `${name}.grad.${key}`), NEAR, `gradient of ${key}`);
  });
});

test('SGD: momentum, weight decay, limited gradients and a slower second parameter', async () => {
  const [first, second] = ['first', 'second'].map(key => {
    const { data, shape } = tensorNamed(file, `sgd.${key}`);
    return variable(data, shape);
  });
  using _first = first;
  using _second = second;
  using sgd = new SGD([first, second], {
    ...{ lr: 0.1, momentum: 0.9, weightDecay: 0.05, theta: 0.05 },
    factors: [1, 0.1],
  });
  for (let step = 0; step < 4; step++) {
    const gradients = ['first', 'second'].map(key => {
      const { data, shape } = tensorNamed(file, `sgd.${key}.grad.${step}`);
      return tensor(data, shape);
    });
    sgd.update(gradients);
    for (const gradient of gradients) gradient.dispose();
    expectClose(await first.data(), tensorNamed(file, `sgd.first.${step}`), NEAR, `first after step ${step}`);
    expectClose(await second.data(), tensorNamed(file, `sgd.second.${step}`), NEAR, `second after step ${step}`);
  }
});

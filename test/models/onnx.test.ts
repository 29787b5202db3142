/** Networks as ONNX models, run by onnxruntime-web and compared with the networks themselves. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { tensor, tidy } from '../../engine/tensor.ts';
import { discriminator } from '../../models/discriminator.ts';
import { created, type NetworkConfig, type NetworkModule } from '../../models/network.ts';
import { networkOf, UPSCALERS } from '../../models/networks.ts';
import { toOnnx } from '../../models/onnx.ts';
import { joined, messageField, numberField } from '../../models/protobuf.ts';
import type { SRResNetOptions } from '../../models/srresnet.ts';
import { WeightsError } from '../../nn/module.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { openOnnx } from './onnx-runtime.ts';
import { trainedLike } from './trained-like.ts';

sharedDevice();

/** The same pixels to the network and to its ONNX model, of several sizes; the results agree within 1e-4. */
async function compare(net: NetworkModule): Promise<void> {
  const { network, config } = net;
  if (network.role !== 'upscaler') throw new Error('not an upscaler');
  const { colour, enlarged } = network.images(config);
  const planes = colour === 'rgb' ? 3 : 1;
  const factor = enlarged ? 1 : network.scale;
  const model = await openOnnx(await toOnnx(net));
  const random = new Philox(1, 91);
  net.eval();
  for (const [batch, height, width] of [
    [1, 7, 11],
    [2, 1, 5],
  ]) {
    const shape = [batch, planes, height, width];
    const data = Float32Array.from({ length: batch * planes * height * width }, () => random.uniform());
    using x = tensor(data, shape);
    const ours = await takeOne(tidy(() => net.forward(x)));
    const theirs = await model.run({ shape, data });
    expect(theirs.shape).toEqual([batch, planes, height * factor, width * factor]);
    const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs.data[i])), 0);
    expect(worst).toBeLessThan(1e-4);
    expect(Math.max(...ours.map(Math.abs))).toBeGreaterThan(0.01);
  }
  await model.release();
}

describe('SRResNet', () => {
  test.for<[string, SRResNetOptions]>([
    ['as the paper’s', {}],
    ['one slope a layer', { slopes: 'layer' }],
    ['biases before batch norm', { biases: true }],
    ['PReLU after the blocks', { middle: 'prelu' }],
    ['tanh', { output: 'tanh' }],
    ['no long skip', { longSkip: 'none' }],
    ['mirrored edges or zeros, which the graph does not see', { edges: 'zero' }],
    ['no blocks, PReLU after them', { blocks: 0, middle: 'prelu', biases: true }],
    [
      'three blocks, everything otherwise',
      { blocks: 3, slopes: 'layer', biases: true, middle: 'prelu', output: 'tanh', longSkip: 'none' },
    ],
  ])('%s', async ([, options]) => {
    using net = trainedLike({ channels: 5, blocks: 1, ...options, seed: 5 });
    await compare(net);
  });
});

/** Others, each with the default and the other value of what changes the graph. */
const OTHERS: readonly (readonly [string, NetworkConfig])[] = [
  ['srcnn', { channels: 4, hidden: 3, kernel: 1 }],
  ['srcnn', { channels: 4, hidden: 3, kernel: 5 }],
  ['espcn', { channels: 4, hidden: 3 }],
  ['espcn', { channels: 4, hidden: 3, activation: 'relu', output: 'tanh' }],
  ['vdsr', { channels: 4, layers: 3 }],
  ['vdsr', { channels: 4, layers: 2, biases: false }],
  ['drcn', { channels: 4, recursions: 3 }],
  ['drcn', { channels: 4, recursions: 1 }],
];

test.for(OTHERS)('%s, %o', async ([name, config]) => {
  using net = created(networkOf(name)!, config, { seed: 3 });
  const random = new Philox(4, 92);
  for (const variable of net.parameters()) {
    const bound = 1.5 / Math.sqrt(variable.shape.slice(1).reduce((a, b) => a * b, 1));
    variable.write(Float32Array.from({ length: variable.size }, () => (2 * random.uniform() - 1) * bound));
  }
  await compare(net);
});

test('every network that upscales has a graph', () => {
  expect(UPSCALERS.filter(({ onnx }) => onnx === undefined)).toEqual([]);
});

test('a model says what goes in and comes out', async () => {
  using net = trainedLike({ channels: 2, blocks: 0 });
  const bytes = await toOnnx(net);
  expect(await toOnnx(net)).toEqual(bytes);
  const model = await openOnnx(bytes);
  expect(model.inputs).toMatchObject([{ name: 'input', type: 'float32', shape: ['batch', 3, 'height', 'width'] }]);
  expect(model.outputs).toMatchObject([
    { name: 'output', type: 'float32', shape: ['batch', 3, 'output_height', 'output_width'] },
  ]);
  await model.release();
  const text = new TextDecoder('latin1').decode(bytes);
  for (const words of [
    'SRResNet, 0 blocks of 2 channels, x4. Input: RGB, black 0, white 1',
    'black -1, white 1, not clamped',
    '"channels":2',
  ])
    expect(text).toContain(words);

  using vdsr = created(networkOf('vdsr')!, { channels: 2, layers: 2 }, { seed: 1 });
  const other = new TextDecoder('latin1').decode(await toOnnx(vdsr));
  expect(other).toContain('already enlarged 4 times by bicubic interpolation, clamped to [16/255, 235/255]');
});

test('a discriminator is refused', async () => {
  using net = discriminator({ channels: 2, size: 16, hidden: 3 });
  await expect(toOnnx(net)).rejects.toThrow(new WeightsError('toOnnx: a discriminator does not upscale.'));
});

test('numbers of any size are varints', () => {
  const decoded = ([, ...bytes]: Uint8Array) => bytes.reduceRight((sum, byte) => sum * 128 + (byte & 127), 0);
  fc.assert(fc.property(fc.maxSafeNat(), value => decoded(joined(numberField(1, value))) === value));
  expect([...joined(numberField(1, 0))]).toEqual([8, 0]);
  expect([...joined(numberField(20, 300))]).toEqual([0xa0, 1, 0xac, 2]);
  expect([...joined(messageField(3, numberField(1, 150)))]).toEqual([0x1a, 3, 8, 0x96, 1]);
});

/** What trained files of others chose otherwise than the paper's network. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import { type SRResNetConfig, type SRResNetOptions, srresnet, srresnetConfig } from '../../models/srresnet.ts';
import { type HostTensor, WeightsError } from '../../nn/module.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { withWeights } from '../golden-files.ts';
import { randomPlanes, trainedLike } from './trained-like.ts';

sharedDevice();

const OTHERWISE: SRResNetOptions = { slopes: 'layer', biases: true, middle: 'prelu', output: 'tanh' };
const choices: [string, SRResNetOptions][] = [
  ['as the paper’s', {}],
  ['one slope a layer', { slopes: 'layer' }],
  ['biases before batch norm', { biases: true }],
  ['PReLU after the blocks', { middle: 'prelu' }],
  ['tanh', { output: 'tanh' }],
  ['all of that', OTHERWISE],
  ['no blocks, PReLU after them', { blocks: 0, middle: 'prelu', biases: true }],
  ['one channel, one slope a layer', { channels: 1, slopes: 'layer' }],
];

const names = (options: SRResNetOptions): string[] => {
  using net = srresnet({ channels: 4, blocks: 1, ...options });
  return net.namedVariables().map(([name]) => name);
};

describe('names', () => {
  test('of the convolutions’ biases, and of PReLU in the place of batch norm', () => {
    const paper = names({});
    expect(names({ biases: true }).filter(name => !paper.includes(name))).toEqual([
      'blocks.0.conv1.bias',
      'blocks.0.conv2.bias',
      'conv_mid.bias',
    ]);
    const middle = names({ middle: 'prelu' });
    expect(middle.filter(name => !paper.includes(name))).toEqual(['conv_mid.bias', 'prelu_mid.weight']);
    expect(paper.filter(name => !middle.includes(name))).toEqual([
      'bn_mid.weight',
      'bn_mid.bias',
      'bn_mid.running_mean',
      'bn_mid.running_var',
    ]);
  });

  test('one slope a layer changes shapes alone', () => {
    using net = srresnet({ channels: 4, blocks: 1, slopes: 'layer' });
    const slopes = net.namedVariables().filter(([name]) => name.includes('prelu'));
    expect(slopes.map(([, { shape }]) => shape.join())).toEqual(['1', '1', '1', '1']);
    expect(names({ slopes: 'layer' })).toEqual(names({}));
  });
});

test.each([
  [16, { slopes: 'layer' }, 1_547_350],
  [8, { slopes: 'layer' }, 955_470],
  [5, { slopes: 'layer' }, 733_515],
  [16, { biases: true }, 1_548_547 + 2_112],
] as const)('%i blocks with %o have %i parameters', (blocks, options, count) => {
  using net = srresnet({ blocks, ...options });
  expect(net.parameterCount).toBe(count);
});

describe.each(choices)('%s', (_, options) => {
  test.each(['F32', 'F16'] as const)('comes back from a file in %s', async dtype => {
    using net = trainedLike({ channels: 4, blocks: 1, ...options, seed: 5 });
    const bytes = await encodeModel(net, { dtype });
    using read = decodeModel(bytes);
    expect(read.config).toEqual(net.config);
    expect(await encodeModel(read, { dtype })).toEqual(bytes);
    if (dtype === 'F32') expect([...(await read.stateDict())]).toEqual([...(await net.stateDict())]);
  });

  test('is told by its tensors, but for tanh', async () => {
    using net = srresnet({ channels: 4, blocks: 1, ...options });
    const expected: SRResNetConfig = { ...net.config, output: 'linear' };
    expect(srresnetConfig(await net.stateDict())).toEqual(expected);
  });
});

test('files of what is as the paper’s say no more than they did: channels and blocks', async () => {
  using net = srresnet({ channels: 4, blocks: 1 });
  expect(readSafetensors(await encodeModel(net)).metadata.config).toBe('{"channels":4,"blocks":1}');
  using other = srresnet({ channels: 4, blocks: 1, ...OTHERWISE });
  expect(JSON.parse(readSafetensors(await encodeModel(other)).metadata.config)).toEqual({
    channels: 4,
    blocks: 1,
    ...OTHERWISE,
  });
});

describe('what is computed', () => {
  const lr = () => tensor(randomPlanes(6, 5, 3), [1, 3, 5, 6]);
  const run = async (options: SRResNetOptions, state?: ReadonlyMap<string, HostTensor>) => {
    using net = trainedLike({ channels: 4, blocks: 1, ...options, seed: 6 }).eval();
    if (state) net.loadStateDict(state);
    using x = lr();
    const y = await takeOne(tidy(() => net.forward(x)));
    return { y, state: await net.stateDict() };
  };

  test('tanh of the same', async () => {
    const { y } = await run({});
    const { y: bent } = await run({ output: 'tanh' });
    bent.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.tanh(y[i]), 5);
    });
  });

  test('biases before batch norm move its mean: taken off the running means, nothing changes', async () => {
    const biased = await run({ biases: true });
    const state = new Map(biased.state);
    for (const [conv, bn] of [
      ['blocks.0.conv1', 'blocks.0.bn1'],
      ['blocks.0.conv2', 'blocks.0.bn2'],
      ['conv_mid', 'bn_mid'],
    ]) {
      const bias = state.get(`${conv}.bias`)!.data;
      const mean = state.get(`${bn}.running_mean`)!;
      state.set(`${bn}.running_mean`, { ...mean, data: mean.data.map((value, c) => value - bias[c]) });
      state.delete(`${conv}.bias`);
    }
    const { y } = await run({}, state);
    const without = [...biased.state].filter(([name]) => !/(conv[12]|conv_mid)\.bias/.test(name));
    const unchanged = await run({}, new Map(without));
    y.forEach((value, i) => {
      expect(value).toBeCloseTo(biased.y[i], 4);
    });
    expect(unchanged.y).not.toEqual(y);
  });

  test('one slope a layer is as many equal slopes', async () => {
    const layer = await run({ slopes: 'layer', middle: 'prelu' });
    const state = new Map(layer.state);
    for (const [name, { data }] of layer.state)
      if (name.includes('prelu')) state.set(name, { shape: [4], data: new Float32Array(4).fill(data[0]) });
    const { y } = await run({ middle: 'prelu' }, state);
    expect(y).toEqual(layer.y);
  });

  test('compiled for training, tanh and PReLU in the middle included', async () => {
    using net = srresnet({ channels: 4, blocks: 1, ...OTHERWISE });
    using x = lr();
    using step = compile((x: Tensor) => net.forward(x));
    const y = await takeOne(step(x));
    expect(y).toHaveLength(3 * 20 * 24);
    expect(Math.max(...y.map(Math.abs))).toBeLessThan(1);
  });
});

describe('files of others', () => {
  const foreign = async (metadata: Record<string, string>, change = (_: Map<string, WritableTensor>) => {}) => {
    using net = srresnet({ channels: 4, blocks: 1, slopes: 'layer' });
    const state = new Map<string, WritableTensor>(await net.stateDict());
    change(state);
    return writeSafetensors(state, metadata);
  };

  test.each([
    [{}, 'linear'],
    [{ output_activation: 'none' }, 'linear'],
    [{ output_activation: 'tanh', arch: 'srgan generator' }, 'tanh'],
  ] as const)('that say %o end with %s', async (metadata, output) => {
    using net = decodeModel(await foreign(metadata));
    expect(net.config).toMatchObject({ channels: 4, blocks: 1, slopes: 'layer', output });
  });

  const ours = (config: string) => ({ arch: 'srresnet', config });
  test.each<[Record<string, string>, string]>([
    [{ output_activation: 'sigmoid' }, 'f: metadata "output_activation": expected none or tanh, got "sigmoid".'],
    [
      ours('{"channels":4,"blocks":1}'),
      'metadata "config" is {"channels":4,"blocks":1}, but the tensors are those of {"channels": 4, "blocks": 1, "slopes": "layer"}.',
    ],
    [
      ours('{"channels":4,"blocks":1,"slopes":"layer","biases":true}'),
      'but the tensors are those of {"channels": 4, "blocks": 1, "slopes": "layer"}.',
    ],
    [
      ours('{"channels":4,"blocks":1,"slopes":"layer","output":"sigmoid"}'),
      'SRResNet: output: expected linear or tanh, got "sigmoid".',
    ],
  ])('that say %o are refused', async (metadata, message) => {
    const bytes = await foreign(metadata);
    expect(() => decodeModel(bytes, 'f')).toThrow(WeightsError);
    expect(() => decodeModel(bytes, 'f')).toThrow(message);
  });

  withWeights('srgan_x4.safetensors', path => {
    test('srgan_x4 differs in all of that', () => {
      using net = decodeModel(readFileSync(path), path);
      expect(net.config).toEqual({ channels: 64, blocks: 5, ...OTHERWISE, longSkip: 'add', edges: 'zero' });
    });
  });
});

test('ICNR changes the first weights of the sub-pixel layers alone, and no file', async () => {
  using net = srresnet({ channels: 4, blocks: 1, icnr: true, seed: 3 });
  using plain = srresnet({ channels: 4, blocks: 1, seed: 3 });
  expect(net.config).toEqual(plain.config);
  const state = await net.stateDict();
  const other = await plain.stateDict();
  const quarter = (name: string) => {
    const { data, shape } = state.get(name)!;
    const each = data.length / shape[0];
    for (let channel = 0; channel < shape[0]; channel++) {
      const first = 4 * Math.floor(channel / 4);
      const kernel = (c: number) => data.slice(c * each, (c + 1) * each);
      expect(kernel(channel), `${name} ${channel}`).toEqual(kernel(first));
      if (first > 0) expect(kernel(first)).not.toEqual(kernel(0));
    }
  };
  for (const name of ['up.0.conv.weight', 'up.0.conv.bias', 'up.1.conv.weight', 'up.1.conv.bias']) quarter(name);
  for (const name of ['conv_in.weight', 'blocks.0.conv2.weight', 'conv_mid.weight'])
    expect(state.get(name), name).toEqual(other.get(name));
});

import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { type SRResNet, srresnet, srresnetHalo } from '../../models/srresnet.ts';
import { type HostTensor, WeightsError } from '../../nn/module.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { openGolden, tensorsUnder } from '../golden-files.ts';

sharedDevice();

const small = (seed = 0) => srresnet({ channels: 8, blocks: 1, seed });

/** The bits of all weights, in their order. */
const bitsOf = (state: ReadonlyMap<string, HostTensor>) =>
  [...state].map(([name, { data }]) => [name, Buffer.from(data.buffer).toString('hex')]);

describe('size', () => {
  // By hand, for n channels and B blocks: (3·81 + 1)n + n | B(18n² + 4n + n) | 9n² + 2n | 2(36n² + 4n + n) | 243n + 3.
  test.each([
    [16, 1_548_547],
    [8, 956_163],
    [5, 734_019],
  ])('the paper’s 64 channels and %i blocks have %i parameters', (blocks, count) => {
    using net = srresnet({ blocks });
    expect(net.parameterCount).toBe(count);
    expect(net.config).toEqual({
      channels: 64,
      blocks,
      slopes: 'channel',
      biases: false,
      middle: 'batchNorm',
      output: 'linear',
      edges: 'mirror',
      longSkip: 'add',
    });
  });

  test('the paper’s size is the default', () => {
    using net = srresnet();
    expect(net.parameterCount).toBe(1_548_547);
  });

  test.each([
    [1, 0],
    [3, 2],
    [8, 1],
  ])('%i channels and %i blocks follow the formula', (n, blocks) => {
    using net = srresnet({ channels: n, blocks });
    const expected =
      245 * n + blocks * (18 * n ** 2 + 5 * n) + (9 * n ** 2 + 2 * n) + 2 * (36 * n ** 2 + 5 * n) + (243 * n + 3);
    expect(net.parameterCount).toBe(expected);
  });

  test.each([{ channels: 0 }, { channels: 1.5 }, { channels: Number.NaN }, { blocks: -1 }, { blocks: 0.5 }])(
    '%o is refused',
    options => {
      expect(() => srresnet(options)).toThrow(WeightsError);
      expect(() => srresnet(options)).toThrow(/channels of at least 1 and blocks of at least 0/);
    },
  );
});

test('names and shapes are PyTorch’s, as in the golden values', context => {
  const golden = openGolden('models.safetensors');
  if (typeof golden === 'string') return context.skip(golden);
  const { channels, blocks } = JSON.parse(golden.metadata.info).srresnet as { channels: number; blocks: number };
  const expected = [...tensorsUnder(golden, 'srresnet.weights.')].map(([name, { shape }]) => [name, shape]);
  using net = srresnet({ channels, blocks });
  const ours = net.namedVariables().map(([name, { shape }]) => [name, shape]);
  expect(expected.length).toBeGreaterThan(20);
  expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(expected));
  expect(new Set(ours.map(([name]) => name)).size).toBe(ours.length);
});

test('names follow figure 4 in its order; running statistics are no parameters', () => {
  using net = small();
  expect(net.namedVariables().map(([name]) => name)).toEqual([
    'conv_in.weight',
    'conv_in.bias',
    'prelu_in.weight',
    'blocks.0.conv1.weight',
    'blocks.0.bn1.weight',
    'blocks.0.bn1.bias',
    'blocks.0.bn1.running_mean',
    'blocks.0.bn1.running_var',
    'blocks.0.prelu.weight',
    'blocks.0.conv2.weight',
    'blocks.0.bn2.weight',
    'blocks.0.bn2.bias',
    'blocks.0.bn2.running_mean',
    'blocks.0.bn2.running_var',
    'conv_mid.weight',
    'bn_mid.weight',
    'bn_mid.bias',
    'bn_mid.running_mean',
    'bn_mid.running_var',
    'up.0.conv.weight',
    'up.0.conv.bias',
    'up.0.prelu.weight',
    'up.1.conv.weight',
    'up.1.conv.bias',
    'up.1.prelu.weight',
    'conv_out.weight',
    'conv_out.bias',
  ]);
  const parameters = net.namedParameters().map(([name]) => name);
  expect(parameters.filter(name => name.includes('running'))).toEqual([]);
  expect(parameters).toHaveLength(21);
});

describe('first weights', () => {
  test('follow from the seed, to the bit', async () => {
    using a = small(7);
    using b = small(7);
    using c = small(8);
    const [first, again, other] = [await a.stateDict(), await b.stateDict(), await c.stateDict()];
    expect(bitsOf(again)).toEqual(bitsOf(first));
    const same = [...first].filter(([name, { data }]) => data.join() === other.get(name)!.data.join());
    // Only what is constant is the same under another seed.
    expect(same.map(([name]) => name).filter(name => /conv/.test(name) && !/bn|prelu/.test(name))).toEqual([]);
  });

  test('are PyTorch’s default: uniform in ±1/√fan-in, PReLU 0.25, batch norm 1, 0, 0, 1', async () => {
    using net = srresnet({ channels: 32, blocks: 1, seed: 3 });
    const state = await net.stateDict();
    const fanIns = new Map([...state].filter(([, t]) => t.shape.length === 4).map(([name, t]) => [name, fanIn(t)]));
    for (const [name, { data }] of state) {
      if (/prelu/.test(name)) expect(new Set(data), name).toEqual(new Set([0.25]));
      else if (/bn.*(weight|running_var)/.test(name)) expect(new Set(data), name).toEqual(new Set([1]));
      else if (/bn/.test(name)) expect(new Set(data), name).toEqual(new Set([0]));
      else expectUniform(data, 1 / Math.sqrt(fanIns.get(name.replace('bias', 'weight'))!), name);
    }
  });

  const fanIn = ({ shape: [, c, r, s] }: HostTensor) => c * r * s;

  /** Within ±bound, and with the mean, deviation and range of that many uniform numbers (five standard errors). */
  function expectUniform(data: Float32Array, bound: number, name: string): void {
    const n = data.length;
    const mean = data.reduce((sum, x) => sum + x, 0) / n;
    const square = data.reduce((sum, x) => sum + x * x, 0) / n;
    const largest = Math.max(...data.map(Math.abs));
    expect(largest, name).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.abs(mean), name).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
    // Var(x²) of a uniform x is 4/45 bound⁴.
    expect(Math.abs(square - bound ** 2 / 3), name).toBeLessThan((5 * bound ** 2 * Math.sqrt(4 / 45)) / Math.sqrt(n));
    if (n > 1000) expect(largest, name).toBeGreaterThan(0.99 * bound);
    if (n > 100) expect(new Set(data).size / n, name).toBeGreaterThan(0.99);
  }
});

describe('modes', () => {
  const input = () =>
    tensor(
      Float32Array.from({ length: 2 * 3 * 4 * 4 }, (_, i) => ((i * 37) % 64) / 64),
      [2, 3, 4, 4],
    );
  const running = async (net: SRResNet) => bitsOf(await net.stateDict()).filter(([name]) => name.includes('running'));

  test('train() and eval() reach every layer; a new network trains', () => {
    using net = small();
    const all = (training: boolean) =>
      [net, ...net.blocks, net.blocks[0].bn1, net.blocks[0].bn2, net.bnMid, ...net.up, net.up[0].conv].every(
        module => module?.training === training,
      );
    expect(all(true)).toBe(true);
    expect(net.eval()).toBe(net);
    expect(all(false)).toBe(true);
    expect(net.train()).toBe(net);
    expect(all(true)).toBe(true);
  });

  test('in training the batch’s statistics count and are tracked; in evaluation the running ones, untouched', async () => {
    using net = small(1);
    using x = input();
    const before = await running(net);
    using evaluated = compile((x: Tensor) => net.eval().forward(x));
    using trained = compile((x: Tensor) => net.train().forward(x));
    const first = await takeOne(evaluated(x));
    expect(first).toHaveLength(2 * 3 * 16 * 16);
    expect(await running(net)).toEqual(before);
    const batch = await takeOne(trained(x));
    expect(batch).not.toEqual(first);
    const after = await running(net);
    for (const [i, [name, bits]] of after.entries()) expect(bits, name).not.toBe(before[i][1]);
    // The same weights with other running statistics: evaluation changes, training does not.
    expect(await takeOne(evaluated(x))).not.toEqual(first);
    expect(await takeOne(trained(x))).toEqual(batch);
  });
});

test('the halo is that of the layers: 4 + 2 a block + 1 + 1 + 1/2 + 1', () => {
  expect([0, 1, 5, 8, 16].map(blocks => srresnetHalo({ blocks }))).toEqual([8, 10, 18, 24, 40]);
});

import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { mul } from '../../kernels/index.ts';
import { type SRResNet, srresnet } from '../../models/srresnet.ts';
import { type HostTensor, Module, Sequential, WeightsError } from '../../nn/index.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { sharedDevice, takeOne } from '../device.ts';

const device = sharedDevice();

const small = (seed = 0) => srresnet({ channels: 8, blocks: 1, seed });

/** Numbers that no two tensors share, in the shapes of a network. */
function numbered(net: SRResNet): Map<string, HostTensor> {
  let next = 1;
  return new Map(
    net
      .namedVariables()
      .map(([name, { shape, size }]) => [name, { shape, data: Float32Array.from({ length: size }, () => next++) }]),
  );
}

describe('state', () => {
  test('what was loaded is read back, in the order of the layers', async () => {
    using net = small();
    const state = numbered(net);
    const shuffled = new Map([...state].reverse());
    expect(net.loadStateDict(shuffled)).toBe(net);
    const read = await net.stateDict();
    expect([...read]).toEqual([...state]);
  });

  test('what is read is the reader’s, and what was loaded stays the giver’s', async () => {
    using net = small();
    const state = numbered(net);
    net.loadStateDict(state);
    for (const { data } of state.values()) data.fill(-1);
    const read = await net.stateDict();
    expect(read.get('conv_in.weight')!.data[0]).toBe(1);
    for (const { data } of read.values()) data.fill(-2);
    expect((await net.stateDict()).get('conv_in.weight')!.data[0]).toBe(1);
  });

  test('parameters that an optimizer has gathered are read and loaded as before', async () => {
    using net = small();
    const before = await net.stateDict();
    using _ = new Adam(net.parameters());
    expect(await net.stateDict()).toEqual(before);
    const state = numbered(net);
    net.loadStateDict(state);
    expect([...(await net.stateDict())]).toEqual([...state]);
  });

  test('disposing gives all memory back, also what an optimizer gathered', () => {
    const { live } = device().memory.figures();
    const net = small();
    expect(device().memory.figures().live).toBeGreaterThan(live);
    const adam = new Adam(net.parameters());
    adam.dispose();
    net.dispose();
    expect(device().memory.figures().live).toBe(live);
    net.dispose();
    expect(device().memory.figures().live).toBe(live);
  });
});

describe('weights that do not fit', () => {
  const cases: [string, (state: Map<string, HostTensor>) => unknown, string][] = [
    ['a missing tensor', state => state.delete('bn_mid.running_var'), 'missing weights: bn_mid.running_var.'],
    [
      'nothing at all',
      state => state.clear(),
      'missing weights: conv_in.weight, conv_in.bias, prelu_in.weight and 24 more.',
    ],
    [
      'an unknown tensor',
      state => state.set('conv_in.scale', { shape: [1], data: new Float32Array(1) }),
      'unexpected weights: conv_in.scale.',
    ],
    [
      'another shape',
      state => state.set('conv_out.bias', { shape: [4], data: new Float32Array(4) }),
      'conv_out.bias: expected shape [3], got [4].',
    ],
    [
      'the same numbers in another shape',
      state => state.set('up.1.conv.weight', { ...state.get('up.1.conv.weight')!, shape: [8, 32, 3, 3] }),
      'up.1.conv.weight: expected shape [32, 8, 3, 3], got [8, 32, 3, 3].',
    ],
  ];
  test.each(cases)('%s is named, and nothing has changed', async (_, spoil, message) => {
    using net = small(5);
    const before = await net.stateDict();
    const state = numbered(net);
    spoil(state);
    expect(() => net.loadStateDict(state)).toThrow(WeightsError);
    expect(() => net.loadStateDict(state)).toThrow(message);
    expect(await net.stateDict()).toEqual(before);
  });

  test('data that is shorter than its shape says changes nothing either', async () => {
    using net = small(5);
    const before = await net.stateDict();
    const state = numbered(net);
    // The last one, so that all the others would have been written already.
    state.set('conv_out.bias', { shape: [3], data: new Float32Array(2) });
    expect(() => net.loadStateDict(state)).toThrow('conv_out.bias: expected 3 numbers for shape [3], got 2.');
    expect(await net.stateDict()).toEqual(before);
  });
});

describe('a module of one’s own', () => {
  class Scale extends Module {
    readonly weight = variable([2]);
    forward(x: Tensor): Tensor {
      return mul(x, this.weight);
    }
  }

  class Nested extends Module {
    readonly pairs = [[new Scale(), new Scale()], [new Scale()]];
    readonly heads = { left: new Scale(), theRight: [variable([1], [1], { trainable: false })] };
    private readonly inner = new Scale();
    readonly #hidden: Scale;
    readonly twice: Module;
    constructor() {
      super();
      this.#hidden = this.register('hidden', new Scale());
      this.twice = this.inner;
    }
    forward(x: Tensor): Tensor {
      return tidy(() => this.#hidden.forward(this.inner.forward(x)));
    }
  }

  test('has what nested arrays, objects, private and registered properties hold', async () => {
    using net = new Nested();
    expect(net.namedVariables().map(([name]) => name)).toEqual([
      'hidden.weight',
      'pairs.0.0.weight',
      'pairs.0.1.weight',
      'pairs.1.0.weight',
      'heads.left.weight',
      'heads.the_right.0',
      'inner.weight',
      'twice.weight',
    ]);
    expect(net.namedParameters().map(([name]) => name)).not.toContain('twice.weight');
    expect(net.parameterCount).toBe(6);
    expect([...net.modules()]).toHaveLength(7);
    let visited = 0;
    expect(net.apply(() => visited++)).toBe(net);
    expect(visited).toBe(7);
    const state = await net.stateDict();
    using other = new Nested().loadStateDict(state);
    expect(await other.stateDict()).toEqual(state);
    using x = tensor([3]);
    expect(await takeOne(net.forward(x))).toEqual(Float32Array.of(12));
  });

  test('has no words in its state, which would be read as floats', async () => {
    class Counter extends Module {
      readonly count = variable(Uint32Array.of(1), [1], { trainable: false });
      forward(x: Tensor): Tensor {
        return x.alias();
      }
    }
    using net = new Counter();
    await expect(net.stateDict()).rejects.toThrow(WeightsError);
    expect(() => net.loadStateDict(new Map())).toThrow('count: expected an f32 variable in a state, got u32.');
  });

  test('cannot contain itself', () => {
    using net = new Nested();
    (net as unknown as { self: Module }).self = net;
    expect(() => net.parameters()).toThrow('self: a module cannot contain itself.');
    (net as unknown as { self: undefined }).self = undefined;
  });

  test('has a program for each mode in a compiled function', async () => {
    class Mode extends Module {
      traces = 0;
      forward(x: Tensor): Tensor {
        this.traces++;
        return this.training ? mul(x, 2) : mul(x, 3);
      }
    }
    using inner = new Mode();
    using net = new Sequential(inner);
    using run = compile((x: Tensor) => net.forward(x));
    using x = tensor([1]);
    const found: number[] = [];
    for (const training of [true, false, true, false]) found.push((await takeOne(run(net.train(training) && x)))[0]);
    expect(found).toEqual([2, 3, 2, 3]);
    expect(inner.traces).toBe(2);
    expect(run.programs).toHaveLength(2);
    // A function that sets the mode itself has one program, whatever the mode was.
    using evaluated = compile((x: Tensor) => net.eval().forward(x));
    inner.traces = 0;
    for (const training of [true, false, true])
      expect(await takeOne(evaluated(net.train(training) && x))).toEqual(Float32Array.of(3));
    expect(inner.traces).toBe(1);
  });
});

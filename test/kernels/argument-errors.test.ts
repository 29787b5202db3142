/** Arguments that do not fit, as they come from JavaScript: each is an error of ours with one line that names what it is about. */
import { describe, expect, test } from 'vitest';
import { DaybreakError, LimitError, TraceError } from '../../engine/basics/errors.ts';
import { type Compiled, compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();

/** What JavaScript may pass. */
// biome-ignore lint/suspicious/noExplicitAny: the point of these tests is what types forbid.
const any = (value: unknown): any => value;

const cases: readonly (readonly [what: string, call: (x: Tensor) => unknown, message: RegExp])[] = [
  [
    'a slice by half an element',
    x => ops.slice(x, [0.5, 0], [2, 3]),
    /^slice: expected integer bounds .* got \[0\.5, 0\] to/,
  ],
  ['a slice without an end', x => ops.slice(x, [0, 0], any(undefined)), /^slice: /],
  [
    'a slice in steps of 0',
    x => ops.slice(x, [0, 0], [2, 3], [1, 0]),
    /^slice: expected a positive integer step for each axis of \[2, 3\], got \[1, 0\]/,
  ],
  ['a slice in one step', x => ops.slice(x, [0, 0], [2, 3], any(2)), /^slice: expected a positive .* got 2/],
  ['parts of no size', x => ops.split(x, []), /^split: expected positive integer sizes, got \[\]/],
  ['parts of half an element', x => ops.split(x, 0.5), /^split: expected positive integer sizes, got 0\.5/],
  ['no parts', x => ops.chunk(x, 0), /^chunk: expected a positive integer count, got 0/],
  ['stack of a tensor', x => ops.stack(any(x)), /^stack: expected an array of at least one tensor, got a Tensor/],
  ['stack of numbers', () => ops.stack(any([1, 2])), /^stack: expected input 0 to be a tensor, got 1/],
  ['flip along a number', x => ops.flip(x, any(1)), /^flip: expected axes as an array of numbers, got 1/],
  ['flatten of a number', () => ops.flatten(any(1)), /^flatten: expected input 0 to be a tensor, got 1/],
  ['indices in an array', x => ops.gather(x, 0, any([0])), /^gather: expected input 1 to be a tensor, got an array/],
  ['one-hot vectors of no class', x => ops.oneHot(x, 0), /^oneHot: expected a positive integer .* got 0/],
  ['a running sum along no axis', x => ops.cumsum(x, any(undefined)), /^cumsum: axis undefined does not exist/],
  ['an ellipsis', x => ops.einsum('...i->i', x), /^einsum: .* \(an ellipsis is not supported\), got "\.\.\.i->i"/],
  ['no equation', x => ops.einsum(any(x), x), /^einsum: expected an equation such as "ij,jk->ik", got /],
  ['two arrows', x => ops.einsum('ij->i->', x), /^einsum: expected an equation .* got "ij->i->"/],
  ['a result of nothing', x => ops.einsum('ij->k', x), /^einsum: expected "k" before the arrow too, got "ij->k"/],
  ['a result of the same twice', x => ops.einsum('ij->ii', x), /^einsum: expected distinct letters after the arrow/],
  ['three factors', x => ops.einsum('ij,ij,ij', x, x, x), /^einsum: expected one or two tensors.*, got 3/],
  ['one factor of two', x => ops.einsum('ij,jk', x), /^einsum: .* as many as "ij,jk" has, got 1/],
  [
    'stretching to half an element',
    x => ops.broadcastTo(x, [2.5, 3]),
    /^broadcastTo: expected positive integer dimensions/,
  ],
  ['stretching to -1', x => ops.broadcastTo(x, [-1, 3]), /^broadcastTo: expected positive integer dimensions/],
  [
    'a shape that is a number',
    x => ops.broadcastTo(x, any(3)),
    /^broadcastTo: expected a shape as an array of numbers, got 3/,
  ],
  ['summing back to what was not stretched', x => ops.sumTo(x, [5]), /^sumTo: \[5\] does not broadcast to \[2, 3\]/],
  ['concat of nothing', () => ops.concat([]), /^concat: expected an array of at least one tensor/],
  ['concat of a tensor', x => ops.concat(any(x)), /^concat: expected an array of at least one tensor, got a Tensor/],
  ['concat of numbers', () => ops.concat(any([1, 2])), /^concat: expected input 0 to be a tensor, got 1/],
  ['concat along no axis', x => ops.concat([x, x], 5), /^concat: .* axis 5/],
  ['a pool of one and a half', () => ops.maxPool2d(image(), 1.5), /^maxPool2d: .*kernel as an integer .*, got 1\.5/],
  ['a pool in steps of 0', () => ops.avgPool2d(image(), 2, { stride: 0 }), /^avgPool2d: .*stride .* 1 .*, got 0/],
  [
    'a stride without a name',
    () => ops.maxPool2d(image(), 2, any(2)),
    /^maxPool2d: expected an options object .* got 2/,
  ],
  [
    'a mean with dilation',
    () => ops.avgPool2d(image(), 2, any({ dilation: 2 })),
    /^avgPool2d: unknown option "dilation"/,
  ],
  ['no size', () => ops.adaptiveAvgPool2d(image(), 0), /^adaptiveAvgPool2d: expected size .* got 0/],
  ['a text for a size', () => ops.adaptiveMaxPool2d(image(), any('2')), /^adaptiveMaxPool2d: expected size .* got "2"/],
  [
    'an unknown padding mode',
    x =>
      ops.pad(
        x,
        [
          [0, 0],
          [1, 1],
        ],
        any({ mode: 'edge' }),
      ),
    /^pad: expected mode .* got "edge"/,
  ],
  [
    'padding in one number',
    x => ops.pad(x, any(1)),
    /^pad: expected padding as \[before, after\] for each axis, got 1/,
  ],
  [
    'an unknown option',
    () => ops.conv2d(image(), weight(), undefined, any({ outputPadding: 2 })),
    /^conv2d: unknown option "outputPadding", expected one of stride, padding, dilation, groups/,
  ],
  ['options that are a number', x => ops.sum(x, any(0)), /^sum: expected an options object with axes, keepDims, got 0/],
  [
    'an axis that is no array',
    x => ops.mean(x, any({ axes: 1 })),
    /^mean: expected axes as an array of numbers, got 1/,
  ],
  [
    'strides of three',
    () => ops.conv2d(image(), weight(), undefined, any({ stride: [1, 1, 1] })),
    /^conv2d: expected stride as an integer of at least 1 or as \[rows, columns\], got \[1,1,1\]/,
  ],
  [
    'padding on three sides',
    () => ops.conv2d(image(), weight(), undefined, any({ padding: [[1, 1], [1]] })),
    /^conv2d: expected padding .*, got \[1\]/,
  ],
  [
    'padding on six sides',
    () => {
      const side = [1, 1];
      return ops.conv2d(image(), weight(), undefined, any({ padding: [side, side, side] }));
    },
    /^conv2d: expected padding as \[\[top, bottom\], \[left, right\]\], got/,
  ],
  [
    'padding by another name',
    () => ops.conv2d(image(), weight(), undefined, any({ padding: 'full' })),
    /^conv2d: expected padding .*, got "full"/,
  ],
  [
    'the same size with a stride',
    () => ops.conv2d(image(), weight(), undefined, { padding: 'same', stride: 2 }),
    /^conv2d: expected stride 1 with padding "same", got 2x2/,
  ],
  [
    'no groups',
    () => ops.conv2d(image(), weight(), undefined, { groups: 0 }),
    /^conv2d: expected groups to be an integer of at least 1, got 0/,
  ],
  [
    'an array for a sequence’s stride',
    () => ops.conv1d(ops.reshape(image(), [1, 1, 16]), weight(), undefined, any({ stride: [1, 2] })),
    /^conv1d: expected stride as one number, got \[1,2\]/,
  ],
  [
    'another mode',
    () => ops.interpolate(image(), any({ size: 2, mode: 'area' })),
    /^interpolate: expected mode .* got "area"/,
  ],
  [
    'neither size nor factor',
    () => ops.interpolate(image(), {}),
    /^interpolate: .* either size or scaleFactor, got neither/,
  ],
  [
    'both size and factor',
    () => ops.interpolate(image(), { size: 2, scaleFactor: 2 }),
    /^interpolate: .* either size or scaleFactor, got both/,
  ],
  [
    'a factor of 0',
    () => ops.interpolate(image(), { scaleFactor: 0 }),
    /^interpolate: expected scaleFactor as a positive number or two, got 0/,
  ],
  [
    'corners of nearest',
    () => ops.interpolate(image(), { size: 2, alignCorners: true }),
    /^interpolate: alignCorners has no meaning for mode "nearest"/,
  ],
  ['numbers alone', () => ops.add(1, 2), /^add: expected at least one tensor, got none/],
  ['a text', x => ops.sub(x, any('1')), /^sub: expected input 1 to be a tensor, got a string/],
  ['nothing', x => ops.mul(x, any(undefined)), /^mul: expected input 1 to be a tensor, got undefined/],
  ['a bound that is no number', x => ops.clamp(x, any('0'), 1), /^clamp: expected min to be a number, got a string/],
  ['no exponent', x => ops.pow(x, any(undefined)), /^power: expected input 1 to be a tensor, got undefined/],
  ['an array for a tensor', () => ops.relu(any([1, 2])), /^leakyRelu: expected input 0 to be a tensor, got an array/],
  ['a loss of numbers', x => ops.mseLoss(x, any([1])), /^mseLoss: expected input 1 to be a tensor, got an array/],
  [
    'a shape of another kind',
    x => ops.reshape(x, any('6')),
    /^reshape: expected a shape as an array of numbers, got a string/,
  ],
  [
    'nested arrays',
    () =>
      tensor(
        any([
          [1, 2],
          [3, 4],
        ]),
      ),
    /^tensor: expected numbers, got an array at index 0\. Flatten nested arrays/,
  ],
  [
    'an object for numbers',
    () => tensor(any({ 0: 1 })),
    /^tensor: expected a number, an array of numbers.* got an Object/,
  ],
  ['a gradient of numbers', x => ops.grad(any(1), [x]), /^grad: expected input 0 to be a tensor, got 1/],
  ['a gradient for one tensor', x => ops.grad(ops.sum(x), any(x)), /^grad: expected an array of tensors, got a Tensor/],
];
const image = () => tensor(new Float32Array(16), [1, 1, 4, 4]);
const weight = () => tensor([1], [1, 1, 1, 1]);

test.each(cases)('%s', (_, call, message) => {
  const run = () => tidy(() => call(tensor([1, 2, 3, 4, 5, 6], [2, 3], { requiresGrad: true })));
  expect(run).toThrow(DaybreakError);
  expect(run).toThrow(message);
  try {
    run();
  } catch (error) {
    expect((error as Error).message).not.toContain('\n');
  }
});

describe('a compiled function', () => {
  const bodies: readonly (readonly [what: string, body: () => unknown, message: RegExp])[] = [
    ['async', async () => undefined, /cannot be async: it is traced once, synchronously/],
    ['that returns a number', () => 3, /expected it to return tensors .*, got 3/],
    ['that returns a Map', () => new Map(), /got a Map/],
    ['that returns a text in an array', () => ['x'], /got a string/],
  ];
  test.each(bodies)('%s', (_, body, message) => {
    using f = compile(any(body)) as Compiled<[], undefined>;
    expect(() => f()).toThrow(TraceError);
    expect(() => f()).toThrow(message);
  });

  test('called with what is no tensor and no number', () => {
    using f = compile((x: Tensor) => x);
    expect(() => f(any('1'))).toThrow(
      'A compiled function: expected argument 0 to be a tensor or a number, got a string.',
    );
    expect(() => f(any(undefined))).toThrow(/argument 0 .*got undefined/);
  });

  test('made of no function, or to keep no program', () => {
    expect(() => compile(any(3))).toThrow('compile(): expected a function, got 3.');
    expect(() => compile((x: Tensor) => x, { programs: 0 })).toThrow(TraceError);
  });

  test('can be called again after it was disposed of', async () => {
    const f = compile((x: Tensor) => ops.mul(x, 2));
    using x = tensor([1]);
    f(x).dispose();
    f.dispose();
    expect([...(await takeOne(f(x)))]).toEqual([2]);
    f.dispose();
  });
});

test('more elements than a kernel can count are not fused: a LimitError says which limit', () => {
  const body = (a: Tensor, b: Tensor) => ops.sum(ops.mul(a, b));
  tidy(() => {
    const a = tensor(new Float32Array(49_152), [49_152, 1]);
    const b = tensor(new Float32Array(65_536), [1, 65_536]);
    for (const baked of [true, false]) {
      using f = compile(body, { baked });
      expect(() => f(a, b)).toThrow(LimitError);
      expect(() => f(a, b)).toThrow(/mul.*maxStorageBufferBindingSize of 12884901888/);
    }
  });
});

test('what is larger than can be bound is summed all the same where it need not be in memory', async () => {
  const side = 2 ** 13;
  expect(side * side * 4).toBeGreaterThan(device().traits.maxBindingBytes);
  using f = compile((a: Tensor, b: Tensor) => ops.mean(ops.mul(a, b)));
  const [mean] = await take([
    tidy(() =>
      f(tensor(new Float32Array(side).fill(0.5), [side, 1]), tensor(new Float32Array(side).fill(3), [1, side])),
    ),
  ]);
  expect(mean[0]).toBe(1.5);
});

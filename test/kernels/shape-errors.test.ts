/** Shapes that do not fit: a ShapeError that names the operation and the shapes, and no memory lost. */
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((product, size) => product * size, 1)), shape);

/** What is called, and what the message must say besides the operation's name. */
const wrong: readonly (readonly [operation: string, says: RegExp, call: () => unknown])[] = [
  ['add', /\[2, 3\].*\[2, 4\]/, () => ops.add(zeros(2, 3), zeros(2, 4))],
  ['sub', /\[5\].*\[2, 4\]/, () => ops.sub(zeros(5), zeros(2, 4))],
  ['mul', /\[2, 3\].*\[3, 2\]/, () => ops.mul(zeros(2, 3), zeros(3, 2))],
  ['div', /\[2\].*\[3\]/, () => ops.div(zeros(2), zeros(3))],
  ['where', /\[2, 3\].*\[2\]/, () => ops.where(zeros(2, 3), zeros(2, 3), zeros(2))],
  ['prelu', /\[2, 5, 3, 3\].*\[5\] or \[1\].*\[4\]/, () => ops.prelu(zeros(2, 5, 3, 3), zeros(4))],
  ['batchNorm', /\[2, 5, 3, 3\].*\[5\].*\[4\]/, () => ops.batchNormTraining(zeros(2, 5, 3, 3), zeros(4), zeros(5))],
  [
    'batchNorm',
    /\[2, 5, 3, 3\].*\[5\].*\[1\]/,
    () => ops.batchNorm(zeros(2, 5, 3, 3), zeros(5), zeros(5), zeros(5), zeros(1)),
  ],
  ['conv2d', /\[3, 8, 8\]/, () => ops.conv2d(zeros(3, 8, 8), zeros(4, 3, 3, 3))],
  ['conv2d', /\[4, 3, 3\]/, () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3))],
  ['conv2d', /\[1, 3, 8, 8\].*3 channels.*\[4, 2, 3, 3\].*2/, () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 2, 3, 3))],
  ['conv2d', /bias of \[4\].*\[3\]/, () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3, 3), zeros(3))],
  ['conv2d', /3x3.*\[1, 3, 2, 8\].*0x0/, () => ops.conv2d(zeros(1, 3, 2, 8), zeros(4, 3, 3, 3))],
  ['conv2d', /stride.*at least 1.*0/, () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3, 3), undefined, { stride: 0 })],
  [
    'conv2d',
    /padding.*at least 0.*\[-1,1\]/,
    () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3, 3), undefined, { padding: [-1, 1] }),
  ],
  ['matmul', /\[2, 3\].*\[4, 5\]/, () => ops.matmul(zeros(2, 3), zeros(4, 5))],
  ['matmul', /4 and 3 \(\[2, 3, 4\], \[3, 5\]\)/, () => ops.matmul(zeros(2, 3, 4), zeros(3, 5))],
  ['matmul', /3 and 2 \(\[3\], \[2\]\)/, () => ops.matmul(zeros(3), zeros(2))],
  ['matmul', /\[2\] with \[3\]/, () => ops.matmul(zeros(2, 1, 4), zeros(3, 4, 1))],
  ['matmul', /vectors, got \[\] and \[3\]/, () => ops.matmul(zeros(), zeros(3))],
  ['einsum', /2 axes for "ij", got \[3\]/, () => ops.einsum('ij', zeros(3))],
  ['einsum', /"j", got 3 and 4 \(\[2, 3\], \[4, 5\]\)/, () => ops.einsum('ij,jk', zeros(2, 3), zeros(4, 5))],
  ['matmul', /\[4, 32\].*\[10, 31\]/, () => ops.linear(zeros(4, 32), zeros(10, 31), zeros(10))],
  ['pixelShuffle', /2² channels, got \[2, 6, 3, 3\]/, () => ops.pixelShuffle(zeros(2, 6, 3, 3), 2)],
  ['pixelShuffle', /\[4, 3, 3\]/, () => ops.pixelShuffle(zeros(4, 3, 3), 2)],
  ['pixelUnshuffle', /multiples of 2, got \[2, 1, 3, 4\]/, () => ops.pixelUnshuffle(zeros(2, 1, 3, 4), 2)],
  ['reshape', /\[2, 3\] to \[4\]: expected 6 elements, got 4/, () => ops.reshape(zeros(2, 3), [4])],
  ['reshape', /positive integer.*\[1.5, 4\]/, () => ops.reshape(zeros(2, 3), [-1, 4])],
  ['permute', /\[2, 3\], got \[0, 0\]/, () => ops.permute(zeros(2, 3), [0, 0])],
  ['permute', /\[2, 3\], got \[0\]/, () => ops.permute(zeros(2, 3), [0])],
  ['transpose', /0 and 2.*\[2, 3\]/, () => ops.transpose(zeros(2, 3), 0, 2)],
  ['slice', /\[2, 3\], got \[0, 2\] to \[2, 4\]/, () => ops.slice(zeros(2, 3), [0, 2], [2, 4])],
  ['slice', /\[2, 3\], got \[0, 1\] to \[2, 1\]/, () => ops.slice(zeros(2, 3), [0, 1], [2, 1])],
  ['slice', /each axis of \[2, 3\], got \[1\]/, () => ops.slice(zeros(2, 3), [0, 0], [2, 3], [1])],
  ['stack', /\[2, 3\] and \[3, 2\]/, () => ops.stack([zeros(2, 3), zeros(3, 2)])],
  ['stack', /axis 3.*rank 3/, () => ops.stack([zeros(2, 3)], 3)],
  ['split', /sum to 3 \(axis 1 of \[2, 3\]\), got 4/, () => ops.split(zeros(2, 3), [1, 3], 1)],
  ['chunk', /axis 2.*rank 2/, () => ops.chunk(zeros(2, 3), 2, 2)],
  ['squeeze', /axis 2.*rank 2/, () => ops.squeeze(zeros(2, 1), 2)],
  ['unsqueeze', /axis -4.*rank 3/, () => ops.unsqueeze(zeros(2, 3), -4)],
  ['flatten', /got 1 and 0 for \[2, 3\]/, () => ops.flatten(zeros(2, 3), 1, 0)],
  ['flip', /distinct axes, got 0, -2/, () => ops.flip(zeros(2, 3), [0, -2])],
  ['gather', /\[2, 3\] except along axis 1, got \[3, 1\]/, () => ops.gather(zeros(2, 3), -1, zeros(3, 1))],
  ['gather', /axis 2.*rank 2/, () => ops.gather(zeros(2, 3), 2, zeros(2, 3))],
  ['scatterAdd', /\[2, 3\].*axis 0, got \[4\]/, () => ops.scatterAdd(zeros(2, 3), 0, zeros(4), zeros(4))],
  [
    'scatterAdd',
    /at least \[4, 3\] \(the indices\), got \[4, 2\]/,
    () => ops.scatterAdd(zeros(2, 3), 0, zeros(4, 3), zeros(4, 2)),
  ],
  ['indexSelect', /rank 1, got \[1, 2\]/, () => ops.indexSelect(zeros(2, 3), 0, zeros(1, 2))],
  ['embedding', /\[count, size\], got \[3\]/, () => ops.embedding(zeros(3), zeros(2))],
  ['cumsum', /axis 2.*rank 2/, () => ops.cumsum(zeros(2, 3), 2)],
  ['pad', /\[2, 3\], got \[\[1, 0\]\]/, () => ops.pad(zeros(2, 3), [[1, 0]])],
  ['pad', /\[-1, 0\]/, () => ops.pad(zeros(3), [[-1, 0]])],
  ['pad', /\[3, 0\].*\[3\]/, () => ops.pad(zeros(3), [[3, 0]], { mode: 'reflect' })],
  ['concat', /\[2, 3\] and \[3, 3\].*1/, () => ops.concat([zeros(2, 3), zeros(3, 3)], 1)],
  ['concat', /\[2, 3\].*2/, () => ops.concat([zeros(2, 3), zeros(2, 3)], 2)],
  ['sum', /axis 2.*rank 2/, () => ops.sum(zeros(2, 3), { axes: [2] })],
  ['sum', /expected distinct axes, got 1, -1/, () => ops.sum(zeros(2, 3), { axes: [1, -1] })],
  ['mean', /axis -3.*rank 2/, () => ops.mean(zeros(2, 3), { axes: [-3] })],
  ['broadcastTo', /\[2, 3\] with \[2, 4\]/, () => ops.broadcastTo(zeros(2, 3), [2, 4])],
  ['broadcastTo', /\[2, 3\] to \[3\]/, () => ops.broadcastTo(zeros(2, 3), [3])],
  [
    'conv2d',
    /3 channels.*\[4, 3, 3, 3\] expects 6/,
    () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3, 3), undefined, { groups: 2 }),
  ],
  [
    'conv2d',
    /multiple of 3 output channels.*\[4, 1, 3, 3\]/,
    () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 1, 3, 3), undefined, { groups: 3 }),
  ],
  [
    'conv2d',
    /3x3 kernel with dilation 4x4.*\[1, 3, 8, 8\] padded by 0x0/,
    () => ops.conv2d(zeros(1, 3, 8, 8), zeros(4, 3, 3, 3), undefined, { dilation: 4 }),
  ],
  ['convTranspose2d', /\[3, 8, 8\]/, () => ops.convTranspose2d(zeros(3, 8, 8), zeros(3, 4, 3, 3))],
  ['convTranspose2d', /\[3, 4, 3\]/, () => ops.convTranspose2d(zeros(1, 3, 8, 8), zeros(3, 4, 3))],
  ['convTranspose2d', /3 channels.*expects 2/, () => ops.convTranspose2d(zeros(1, 3, 8, 8), zeros(2, 4, 3, 3))],
  ['convTranspose2d', /bias of \[4\]/, () => ops.convTranspose2d(zeros(1, 3, 8, 8), zeros(3, 4, 3, 3), zeros(3))],
  [
    'convTranspose2d',
    /multiple of 2 channels/,
    () => ops.convTranspose2d(zeros(1, 3, 8, 8), zeros(3, 4, 3, 3), undefined, { groups: 2 }),
  ],
  [
    'convTranspose2d',
    /outputPadding less than stride 2x2 or dilation 1x1, got 2x2/,
    () => ops.convTranspose2d(zeros(1, 3, 8, 8), zeros(3, 4, 3, 3), undefined, { stride: 2, outputPadding: 2 }),
  ],
  [
    'convTranspose2d',
    /result.*-1x-1.*2x2/,
    () => ops.convTranspose2d(zeros(1, 3, 1, 1), zeros(3, 4, 3, 3), undefined, { padding: 2 }),
  ],
  ['maxPool2d', /at most half the kernel, got 2x2 for 3x3/, () => ops.maxPool2d(zeros(1, 1, 5, 5), 3, { padding: 2 })],
  ['adaptiveAvgPool2d', /\[2, 5, 5\]/, () => ops.adaptiveAvgPool2d(zeros(2, 5, 5), 2)],
  ['interpolate', /\[2, 5, 5\]/, () => ops.interpolate(zeros(2, 5, 5), { size: 2 })],
  ['interpolate', /\[1, 1, 2, 5\].*0.3.*no pixels/, () => ops.interpolate(zeros(1, 1, 2, 5), { scaleFactor: 0.3 })],
  ['conv1d', /\[1, 3, 8, 8\]/, () => ops.conv1d(zeros(1, 3, 8, 8), zeros(4, 3, 3))],
  ['maxPool1d', /\[3, 8\]/, () => ops.maxPool1d(zeros(3, 8), 2)],
  ['avgPool1d', /\[3, 8\]/, () => ops.avgPool1d(zeros(3, 8), 2)],
  ['maxPool2d', /3.*\[1, 1, 2, 5\]/, () => ops.maxPool2d(zeros(1, 1, 2, 5), 3)],
  ['avgPool2d', /2.*\[2, 5, 5\]/, () => ops.avgPool2d(zeros(2, 5, 5), 2)],
  ['globalAvgPool2d', /\[2, 5, 5\]/, () => ops.globalAvgPool2d(zeros(2, 5, 5))],
  ['mseLoss', /\[2, 3\].*\[2, 1\]/, () => ops.mseLoss(zeros(2, 3), zeros(2, 1))],
  ['l1Loss', /\[3\].*\[4\]/, () => ops.l1Loss(zeros(3), zeros(4))],
  ['bceWithLogits', /\[3\].*\[3, 1\]/, () => ops.bceWithLogits(zeros(3), zeros(3, 1))],
  ['totalVariation', /\[1, 3, 1, 5\]/, () => ops.totalVariation(zeros(1, 3, 1, 5))],
  ['grad', /one element.*\[2\]/, () => ops.grad(ops.neg(zeros(2)), [])],
  ['tensor', /expected 6 numbers for shape \[2, 3\], got 5/, () => tensor([1, 2, 3, 4, 5], [2, 3])],
  ['tensor', /positive integer.*\[2, 0\]/, () => tensor([], [2, 0])],
];

describe.each(wrong)('%s %s', (operation, says, call) => {
  test('uncompiled', () => {
    expect(() => tidy(call)).toThrow(ShapeError);
    expect(() => tidy(call)).toThrow(says);
    expect(() => tidy(call)).toThrow(expect.objectContaining({ operation }));
  });

  test('compiled', () => {
    using compiled = compile(() => {
      call();
      return undefined;
    });
    expect(() => compiled()).toThrow(says);
  });
});

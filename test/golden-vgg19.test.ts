/** VGG19's features, losses on them and their gradients by PyTorch in float64: at small widths, and of true weights. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { grad, mean, mseLoss, square } from '../kernels/index.ts';
import { decodeVgg19, vgg19FromTensors } from '../models/vgg19-file.ts';
import { sharedDevice, take } from './device.ts';
import {
  expectClose,
  GRADIENT,
  MODEL,
  tensorNamed,
  tensorsUnder,
  toTensor,
  withGolden,
  withWeights,
} from './golden-files.ts';
import { relativeError } from './relative-error.ts';

sharedDevice();

/** (i, j) of each `out.phiIJ` under a prefix. */
const layersUnder = (names: Iterable<string>, prefix: string): [number, number][] =>
  [...names].flatMap((name): [number, number][] => {
    const found = name.startsWith(prefix) ? /^out\.phi(\d)(\d)$/.exec(name.slice(prefix.length)) : null;
    return found ? [[Number(found[1]), Number(found[2])]] : [];
  });

withGolden('vgg.safetensors', file => {
  const weights = tensorsUnder(file, 'vgg.weights.');
  const layers = layersUnder(file.tensors.keys(), 'vgg.');
  const golden = (name: string) => tensorNamed(file, `vgg.${name}`);

  test('the file has features to compare', () => {
    expect(layers.length).toBeGreaterThan(0);
  });

  test.each(layers)('φ%i%i at small widths: features, loss, gradient', async (i, j) => {
    using vgg = vgg19FromTensors(weights, { input: 'signed' });
    using x = toTensor(golden('in.x'));
    using target = toTensor(golden('in.target'));
    using step = compile((x: Tensor, target: Tensor) => {
      const features = vgg.phi(x, i, j);
      const loss = mseLoss(features, vgg.phi(target, i, j));
      return [features, loss, ...grad(loss, [x])];
    });
    const [features, loss, gradient] = await take(step(x, target));
    expectClose(features, golden(`out.phi${i}${j}`), MODEL, 'features');
    expectClose(loss, golden(`loss.phi${i}${j}`), MODEL, 'loss');
    expectClose(gradient, golden(`grad.phi${i}${j}`), GRADIENT, 'gradient');
  });

  test('all layers in one pass', async () => {
    using vgg = vgg19FromTensors(weights, { input: 'signed' });
    using x = toTensor(golden('in.x'));
    using forward = compile((x: Tensor) => vgg.phis(x, layers));
    const all = await take(forward(x));
    layers.forEach(([i, j], at) => {
      expectClose(all[at], golden(`out.phi${i}${j}`), MODEL, `φ${i}${j}`);
    });
  });
});

withGolden('real.safetensors', file => {
  const layers = layersUnder(file.tensors.keys(), 'vgg19.');
  withWeights('vgg19_conv3_4_f16.safetensors', path => {
    test.each(layers)('φ%i%i of true weights, their input’s range read from the file', async (i, j) => {
      using vgg = decodeVgg19(readFileSync(path), path);
      // The golden image is in 0…255, ours in [-1, 1].
      const golden = tensorNamed(file, 'vgg19.in.image');
      using x = tensor(
        golden.data.map(value => value / 127.5 - 1),
        golden.shape,
      );
      using step = compile((x: Tensor) => {
        const features = vgg.phi(x, i, j);
        return [features, ...grad(mean(square(features)), [x])];
      });
      const [features, gradient] = await take(step(x));
      expectClose(features, tensorNamed(file, `vgg19.out.phi${i}${j}`), GRADIENT, 'features');
      const expected = tensorNamed(file, `vgg19.grad.phi${i}${j}`).data.map(value => value * 127.5);
      expect(relativeError(gradient, expected), 'gradient').toBeLessThanOrEqual(GRADIENT);
    });
  });
});

/** The layers that are measured are those of the networks. */
import { expect, test } from 'vitest';
import { layersOf } from '../../bench/architectures.ts';
import { kernelWorks } from '../../bench/kernel-works.ts';
import { f32 } from '../../engine/basics/shape.ts';
import { Trace, withTrace } from '../../engine/graph/trace.ts';
import { Tensor, tidy } from '../../engine/tensor.ts';
import { srresnet } from '../../models/srresnet.ts';
import { sharedDevice } from '../device.ts';

const device = sharedDevice();

const convolutions = (network: string) =>
  layersOf(16, 96).flatMap(layer => (layer.kind === 'conv' && layer.network === network ? [layer] : []));

test('SRResNet’s convolutions are those of the model', () => {
  using net = srresnet({ blocks: 2 });
  net.train();
  const trace = new Trace(device(), [f32([16, 3, 24, 24])]);
  tidy(() => withTrace(trace, () => [net.forward(new Tensor(device(), trace.arguments[0]))]));
  const traced = trace
    .finish([])
    .nodes.filter(({ operation }) => operation.name === 'conv2d')
    .map(({ inputs: [x, weight, bias], attributes }) => {
      const [channels, , kernel] = weight.spec.shape;
      const [stride] = attributes.stride as [number, number];
      expect(attributes.padding).toEqual([kernel >> 1, kernel >> 1]);
      return {
        kind: 'conv' as const,
        network: 'SRResNet',
        input: x.spec.shape,
        channels: channels,
        kernel: kernel,
        stride,
        bias: bias !== undefined,
      };
    });
  const distinct = [...new Map(traced.map(layer => [JSON.stringify(layer), layer])).values()];
  expect(convolutions('SRResNet')).toEqual(distinct);
});

test('the discriminator ends as in the paper: 512 maps of 6x6, then 1024 units, then one', () => {
  const layers = layersOf(16, 96).filter(({ network }) => network === 'discriminator');
  expect(convolutions('discriminator').map(({ channels, stride }) => `${channels}/${stride}`)).toEqual(
    [64, 128, 256, 512].flatMap(channels => [`${channels}/1`, `${channels}/2`]),
  );
  expect(layers.flatMap(layer => (layer.kind === 'dense' ? [layer.input, layer.units] : []))).toEqual([
    [16, 512 * 6 * 6],
    1024,
    [16, 1024],
    1,
  ]);
});

test('VGG19 has its convolutions, of which equal ones are measured once', () => {
  expect(convolutions('VGG19').map(({ input, channels }) => `${input.slice(1).join('x')}>${channels}`)).toEqual([
    '3x96x96>64',
    '64x96x96>64',
    '64x48x48>128',
    '128x48x48>128',
    '128x24x24>256',
    '256x24x24>256',
    '256x12x12>512',
    '512x12x12>512',
    '512x6x6>512',
  ]);
});

test('every layer with weights has all three passes', () => {
  const works = kernelWorks(1, 16, 64).filter(({ flops }) => flops !== undefined);
  const names = [...new Set(works.map(({ group, work }) => `${group} ${work}`))];
  for (const name of names) {
    const own = works.filter(({ group, work }) => `${group} ${work}` === name);
    expect(
      own.map(({ pass }) => pass),
      name,
    ).toEqual(['forward', 'input-grad', 'weight-grad']);
  }
});

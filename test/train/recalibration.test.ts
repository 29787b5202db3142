import { expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { srresnet } from '../../models/srresnet.ts';
import { CROP_WORDS } from '../../train/kernels/crops.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { Recalibration } from '../../train/recalibration.ts';
import { sharedDevice } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { pairs, SMALL } from './small-training.ts';

const device = sharedDevice();
const BATCHES = 3;

test('running statistics become the mean over batches; weights do not change', async () => {
  using net = srresnet({ ...SMALL, seed: 1 });
  using source = new CropSource(device(), pairs(), { ...SMALL, seed: 5, flips: false, rotations: false });
  const statistics = net.namedVariables().filter(([name]) => name.includes('running'));
  const contents = () => Promise.all(statistics.map(([, variable]) => variable.data()));
  const weights = () => Promise.all(net.parameters().map(parameter => parameter.data()));
  using forward = compile((plan: Tensor) => {
    net.forward(source.gather(plan).lr);
    return undefined;
  });

  // What a batch adds to the running statistics, w' = (1 - m) w + m b, says what its own are.
  const means = (await contents()).map(data => new Float64Array(data.length));
  for (let i = 0; i < BATCHES; i++) {
    const before = await contents();
    using plan = tensor(source.plan(i), [SMALL.batch, CROP_WORDS]);
    forward(plan);
    for (const [k, after] of (await contents()).entries())
      for (const [j, value] of after.entries()) means[k][j] += (value - 0.9 * before[k][j]) / 0.1 / BATCHES;
  }
  const first = await weights();

  using recalibration = new Recalibration(net, source, BATCHES);
  for (const [, variable] of statistics) variable.write(new Float32Array(variable.size).fill(1e3));
  await recalibration.run();
  const found = await contents();
  for (const [k, [name]] of statistics.entries()) expect(relativeError(found[k], means[k]), name).toBeLessThan(1e-4);
  expect(await weights()).toEqual(first);
  // Again: the same bytes.
  await recalibration.run();
  expect(await contents()).toEqual(found);
});

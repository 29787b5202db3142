/** A network trained by the kernels for GPUs learns what it learns by those for software adapters. */
import { expect, test, vi } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { tensor } from '../../engine/tensor.ts';
import type { AdapterTraits } from '../../engine/text/kernel.ts';
import { grad, mseLoss } from '../../kernels/index.ts';
import { SRResNet } from '../../models/index.ts';
import { Adam } from '../../nn/index.ts';
import { noise } from '../kernels/problems.ts';

/** Losses of some updates on one batch (3 → 40 → 160 → 3 channels, 24 to 96 pixels), and the kernels that ran. */
async function losses(traits: Partial<AdapterTraits>): Promise<{ losses: number[]; kernels: string[] }> {
  using device = await Device.create({ debug: true });
  Object.assign(device, { traits: { ...device.traits, ...traits } });
  setCurrentDevice(device);
  const compiled = vi.spyOn(device.gpu, 'createComputePipeline');
  try {
    const network = new SRResNet({ channels: 40, blocks: 1, seed: 1 });
    const small = tensor(noise(3 * 3 * 24 * 24, 1), [3, 3, 24, 24]);
    const large = tensor(noise(3 * 3 * 96 * 96, 2), [3, 3, 96, 96]);
    const parameters = [...network.parameters()];
    const adam = new Adam(parameters, { lr: 1e-3 });
    const step = compile(() => {
      const loss = mseLoss(network.forward(small), large);
      adam.update(grad(loss, parameters));
      return loss;
    });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      using loss = step();
      seen.push(await loss.item());
    }
    return { losses: seen, kernels: compiled.mock.calls.map(([{ label }]) => label!.split(' ', 1)[0]) };
  } finally {
    setCurrentDevice(undefined);
  }
}

test('four updates', async () => {
  const here = await losses({});
  const there = await losses({ software: false, subgroupSize: 0 });
  for (const pass of ['forward', 'inputGradient', 'weightGradient']) {
    for (const tile of ['tiled', 'tiledSmall']) expect(there.kernels).toContain(`conv2d.${pass}.${tile}`);
    expect(here.kernels.join()).not.toContain(`${pass}.tiled`);
  }
  expect(there.kernels).toContain('conv2d.forward.tiledThin');
  expect(here.losses.at(-1)).toBeLessThan(here.losses[0]);
  there.losses.forEach((loss, i) => {
    expect(Math.abs(loss - here.losses[i]) / here.losses[i], `update ${i}`).toBeLessThan(1e-5);
  });
});

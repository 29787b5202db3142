/** The head of a report names what is not the paper's. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { headerOf } from '../../train/report/sections.ts';

const environment = {
  daybreak: '0',
  node: 'v20',
  webgpu: null,
  os: 'Linux',
  glibc: null,
  cpu: { model: 'a processor', cores: 2 },
  memoryGiB: 4,
  commit: null,
  date: '2026-01-01',
};
const header = (more: Record<string, unknown>) =>
  headerOf({
    config: parseConfig({ data: 'photos', out: 'run', ...more }),
    environment,
    metrics: [],
    scores: [],
    pictures: [],
    command: '',
  });

test('shows pixel loss, learning rate of the discriminator and warm-up only if they were set', () => {
  expect(header({})).toContain('<h1>SRResNet, 16 blocks of 64 channels</h1>');
  expect(header({})).toContain('learning rate 1e-4, seed 0');
  const l1 = header({ pixelLoss: 'l1', lrWarmup: 2000 });
  expect(l1).toContain('<h1>SRResNet (L1), 16 blocks of 64 channels</h1>');
  expect(l1).toContain('learning rate 1e-4, warm-up 2,000, seed 0');
  const srgan = header({ model: 'srgan-mse', init: 'none', dLr: 4e-4 });
  expect(srgan).toContain('learning rate 1e-4 (discriminator 4e-4) (step), seed 0');
});

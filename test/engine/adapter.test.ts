import { expect, test } from 'vitest';
import { adapterName, isSoftware } from '../../engine/device/adapter.ts';

const LAVAPIPE = {
  vendor: 'mesa',
  architecture: '',
  device: 'llvmpipe-256-bits-',
  description: 'llvmpipe: Mesa 25.0 0.0.1',
};

test('an adapter is named by its driver and its device, else by vendor and architecture', () => {
  expect(adapterName(LAVAPIPE)).toBe('llvmpipe: Mesa 25.0, llvmpipe-256-bits-');
  expect(adapterName({ ...LAVAPIPE, description: '' })).toBe('llvmpipe-256-bits-');
  expect(adapterName({ vendor: 'nvidia', architecture: 'hopper', device: '', description: '' })).toBe('nvidia hopper');
  expect(adapterName({})).toBe('unknown adapter');
});

test('software adapters are known by their names', () => {
  expect(isSoftware(LAVAPIPE)).toBe(true);
  expect(isSoftware({ vendor: 'nvidia', architecture: 'hopper', device: 'h200', description: 'NVIDIA' })).toBe(false);
});

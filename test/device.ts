/** The device that the tests of a file share, and what every test must leave behind: no memory held, no error unseen. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Device, type DeviceOptions } from '../engine/device/device.ts';
import { VECTOR_WIDTH } from '../engine/device/lavapipe.node.ts';
import { setCurrentDevice } from '../engine/init.ts';
import type { Elements, Tensor } from '../engine/tensor.ts';
import type { AdapterTraits } from '../engine/text/kernel.ts';

export interface SharedDeviceOptions extends DeviceOptions {
  /** What lowerings are told instead of the truth, so that the texts for other adapters run on this one. */
  readonly traits?: Partial<AdapterTraits>;
  /** As many lanes as the software driver computes with outside of tests (see vitest.config.ts). */
  readonly widest?: boolean;
  /** The software driver optimizes kernels, as outside of tests: for files that compute more than they compile. */
  readonly optimized?: boolean;
}

/** Read by the software driver when it is loaded: `nopt` turns LLVM's optimizations off. */
const DRIVER_SPEED = 'GALLIVM_PERF';

/**
 * One device for all tests of the calling file (or `describe`), the default one while they run. After each test memory
 * that is still held, and every error that WebGPU reported late, fails it.
 */
export function sharedDevice({
  traits,
  widest = false,
  optimized = false,
  ...options
}: SharedDeviceOptions = {}): () => Device {
  let device: Device | undefined;
  let before = 0;
  const get = () => {
    if (!device) throw new Error('The device exists only while tests run.');
    return device;
  };
  beforeAll(async () => {
    if (widest) delete process.env[VECTOR_WIDTH];
    if (optimized) delete process.env[DRIVER_SPEED];
    device = await Device.create({ debug: true, ...options });
    if (traits) Object.assign(device, { traits: { ...device.traits, ...traits } });
    setCurrentDevice(device);
  });
  beforeEach(() => {
    before = get().memory.figures().live;
  });
  afterEach(async () => {
    await get().finished();
    const { live } = get().memory.figures();
    if (live === before) return;
    const held = get()
      .memory.holders()
      .slice(0, 5)
      .map(({ label, bytes, stack }) => `${bytes} bytes of ${label}${stack.replace(/^Error/, '')}`);
    throw new Error(`The test left ${live - before} bytes of GPU memory behind. Held:\n${held.join('\n')}`);
  });
  afterAll(() => {
    setCurrentDevice(undefined);
    device?.dispose();
    device = undefined;
  });
  return get;
}

/** The content of tensors, which are disposed of. */
export async function take(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  if (tensors.length === 0) return [];
  try {
    const all = await tensors[0].device.read(tensors.map(tensor => tensor.storage));
    return all.map(bytes => new Float32Array(bytes.buffer));
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

/** The content of tensors by their types; they are disposed of. */
export async function takeElements(tensors: readonly Tensor[]): Promise<Elements[]> {
  try {
    return await Promise.all(tensors.map(tensor => tensor.elements()));
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

/** The content of one tensor, which is disposed of. */
export const takeOne = async (tensor: Tensor): Promise<Float32Array> => (await take([tensor]))[0];

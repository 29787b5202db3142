/**
 * Looks for a WebGPU adapter as the engine does, and tries to create a device. Prints the adapter and exits 0, or prints
 * the reason to stderr and exits 1; exits 2 if installing a driver would not help.
 */
import { adapterName, describeAdapter } from '../../engine/device/adapter.ts';
import { driverOrigin, requestGpu } from '../../engine/device/gpu.node.ts';
import { chosenDrivers } from '../../engine/device/software-driver.node.ts';

async function probe(): Promise<number> {
  try {
    await import('webgpu');
  } catch {
    // Dawn itself is missing, not a driver. requestGpu has the better message.
    await requestGpu().catch((error: Error) => console.error(error.message));
    return 2;
  }
  try {
    const gpu = await requestGpu();
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Error('The adapter is no longer available.');
    const device = await adapter.requestDevice();
    device.destroy();
    const origin = driverOrigin(gpu) === 'fetched' ? ', downloaded from npm' : '';
    console.log(`${adapterName(describeAdapter(adapter.info))}${origin}`);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return chosenDrivers() ? 2 : 1; // The user's variable would hide an installed driver.
  }
}

process.exitCode = await probe();

/**
 * Looks for a WebGPU adapter as the engine does, and tries to make a device on it. Prints the adapter and exits 0, or
 * says on stderr why there is none and exits 1; 2 where installing a driver would not help.
 */
import { driverOrigin, requestGpu } from '../../engine/device/gpu.node.ts';
import { chosenDrivers } from '../../engine/device/software-driver.node.ts';

async function probe(): Promise<number> {
  try {
    await import('webgpu');
  } catch {
    // requestGpu below says it better, but a driver is not what is missing.
    await requestGpu().catch((error: Error) => console.error(error.message));
    return 2;
  }
  try {
    const gpu = await requestGpu();
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Error('The adapter has gone.');
    const device = await adapter.requestDevice();
    device.destroy();
    const origin = driverOrigin(gpu) === 'fetched' ? ', fetched from npm' : '';
    console.log(`${adapter.info.description || adapter.info.device || adapter.info.vendor}${origin}`);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return chosenDrivers() ? 2 : 1; // A variable of the user's hides whatever would be installed.
  }
}

process.exitCode = await probe();

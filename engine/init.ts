/** The default device. */
import { Device, type DeviceOptions } from './device/device.ts';
import { currentDevice, setCurrentDevice } from './tensor.ts';

/** Creates a device and makes it the default for `tensor`, `variable` and `compile`. Throws AdapterNotFoundError. */
export async function init(options: DeviceOptions = {}): Promise<Device> {
  const device = await Device.create(options);
  setCurrentDevice(device);
  return device;
}

export { currentDevice, setCurrentDevice };

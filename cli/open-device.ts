/** Opens a command's GPU device, with the kernels that were tuned for it. */
import type { Command } from 'commander';
import type { Device } from '../engine/device/device.ts';

/** Which device to open, and how. */
export interface DeviceChoice {
  /** Part of the adapter's name, see `DeviceOptions.adapter`. */
  readonly adapter?: string;
  /** Use the tuned file of the adapter. False: choose kernels by rule. Default: true. */
  readonly tuned?: boolean;
}

/** Adds `--adapter`. */
export function addAdapterOption(command: Command): Command {
  return command.option('--adapter <NAME>', "part of the GPU driver's name, e.g. llvmpipe; NVIDIA:1: the second match");
}

/** Adds the options that {@link openDevice} reads. */
export function addDeviceOptions(command: Command): Command {
  return addAdapterOption(command).option('--no-tuned', 'choose kernels by rule, ignoring what daybreak tune measured');
}

/** Opens a device. Uses the tuned file of its adapter, if any; an unusable file gives a note on stderr. */
export async function openDevice({ adapter, tuned = true }: DeviceChoice = {}): Promise<Device> {
  const { Device } = await import('../engine/device/device.ts');
  const device = await Device.create(adapter === undefined ? {} : { adapter });
  if (!tuned) return device;
  const { findTuned } = await import('../tune/tuned-file.node.ts');
  const found = await findTuned(device.description);
  if (found.state === 'in use') device.useChoices(found.choices);
  else if (found.state !== 'none') process.stderr.write(`note: ${found.problem}; kernels are chosen by rule\n`);
  return device;
}

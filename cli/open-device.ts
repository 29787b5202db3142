/** The GPU device of a command, with what was tuned for it. */
import type { Command } from 'commander';
import type { Device } from '../engine/device/device.ts';

export interface DeviceChoice {
  /** Part of the wanted driver's name. */
  readonly adapter?: string;
  /** False: the rules choose between kernels, whatever was tuned. Default: true. */
  readonly tuned?: boolean;
}

/** Adds the options that {@link openDevice} reads. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option('--adapter <NAME>', "part of the GPU driver's name, e.g. llvmpipe; NVIDIA:1 is the second of those")
    .option('--no-tuned', 'choose between kernels by rule, whatever daybreak tune has measured');
}

/** A device, where a tuned file of its adapter is found with its choices. A file that cannot be used is told of. */
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

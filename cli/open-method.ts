/** `--model` and the options beside it: a network's file on a GPU, or the name of an interpolation. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { INTERPOLATIONS, interpolation, isInterpolation, type Method, network } from '../eval/methods.ts';
import { DEFAULT_MEMORY_BUDGET, type Upscaler } from '../eval/upscale.ts';
import { ImageError } from '../image/errors.ts';
import { naturalNumber, positiveInteger } from './arguments.ts';
import { addDeviceOptions, type DeviceChoice, openDevice } from './open-device.ts';

const MIB = 2 ** 20;

/** What the options say. */
export interface MethodOptions extends DeviceChoice {
  readonly model: string;
  readonly tile?: number;
  /** MiB. */
  readonly memoryBudget?: number;
}

/** A method that is ready to run, and what a report says about it. */
export interface OpenedMethod {
  readonly method: Method;
  readonly scale: number;
  /** The GPU adapter; undefined for interpolations, which run on the CPU. */
  readonly adapter: string | undefined;
}

/** Adds the options that `openMethod` reads. */
export function addMethodOptions(command: Command): Command {
  const budget = `GPU memory for a tile, where --tile is not given (default: ${DEFAULT_MEMORY_BUDGET / MIB})`;
  command
    .requiredOption('--model <file>', `a model file, or ${INTERPOLATIONS.join(', ')}`)
    .option('--tile <px>', "side of a tile in the picture's pixels; 0: no tiles (default: by memory)", naturalNumber)
    .option('--memory-budget <MiB>', budget, positiveInteger);
  return addDeviceOptions(command);
}

/**
 * Makes the method ready: loads the model and finds a GPU where one is needed.
 * @throws ImageError where there is no such file; what the loader and the device throw.
 */
export async function openMethod(options: MethodOptions): Promise<OpenedMethod> {
  const { model, tile, memoryBudget } = options;
  if (isInterpolation(model)) return { method: interpolation(model), scale: 4, adapter: undefined };
  if (!(await stat(model).catch(() => undefined))?.isFile()) {
    throw new ImageError(model, `no such model file, nor one of ${INTERPOLATIONS.join(', ')}`);
  }
  const opened = await loadUpscaler(model, options);
  const method = network(opened.upscaler, {
    tile,
    memoryBudget: memoryBudget === undefined ? undefined : memoryBudget * MIB,
  });
  return { method, scale: opened.upscaler.scale, adapter: opened.adapter };
}

/** The one place where the command line meets the engine and the model room. */
async function loadUpscaler(path: string, wanted: DeviceChoice): Promise<{ upscaler: Upscaler; adapter: string }> {
  const { setCurrentDevice } = await import('../engine/tensor.ts');
  const { loadUpscaler } = await import('../models/upscaler.node.ts');
  const device = await openDevice(wanted);
  setCurrentDevice(device);
  const { description, device: name, vendor, architecture } = device.description;
  return { upscaler: await loadUpscaler(path), adapter: description || name || `${vendor} ${architecture}` };
}

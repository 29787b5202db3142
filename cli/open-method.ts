/** `--model` and related options: opens networks, by file or by the name of a shipped one, and other methods by name. */

import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { MIB } from '../common/text.ts';
import type { Device } from '../engine/device/device.ts';
import {
  INTERPOLATIONS,
  interpolation,
  isInterpolation,
  type Method,
  network,
  withoutTraining,
} from '../eval/methods.ts';
import { surviving } from '../eval/surviving.ts';
import { DEFAULT_MEMORY_BUDGET } from '../eval/windows.ts';
import { ImageError } from '../image/errors.ts';
import { DECLARED_METHODS, findMethod } from '../methods/list.ts';
import type { Runner } from '../methods/passes.ts';
import type { PatchDictionary } from '../methods/patch-dictionary.ts';
import { findPretrained, listPretrained } from '../models/pretrained.node.ts';
import { DEFAULT_PRETRAINED } from '../models/pretrained.ts';
import { naturalNumber, positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { addDeviceOptions, type DeviceChoice, openDevice } from './open-device.ts';

/** The options beside `--model`. */
export interface MethodOptions extends DeviceChoice {
  readonly tile?: number;
  /** MiB. */
  readonly memoryBudget?: number;
  readonly threads?: number;
  readonly dictionary?: string;
}

/** A method that is ready to run, and its description for reports. */
export interface OpenedMethod {
  /** The value of `--model`. */
  readonly model: string;
  /** For rows and captions: a file's name without extension, or a checkpoint's run; see `labelsOf`. */
  readonly label: string;
  readonly method: Method;
  readonly scale: number;
  /** The GPU adapter; undefined for methods that run on the CPU. */
  readonly adapter: string | undefined;
}

/** Opens the device at the first call, and again after it was lost. It becomes the current device. */
export type Gpu = () => Promise<{ readonly device: Device; readonly adapter: string }>;

/** The methods that need no model. */
const BUILT_IN = [...INTERPOLATIONS, ...DECLARED_METHODS.map(({ name }) => name)];

const EXAMPLE_BASED = DECLARED_METHODS.filter(one => one.needsDictionary)
  .map(({ name }) => name)
  .join(' and ');

const MODEL_HELP = `a shipped network (see daybreak models), a model file or a folder with model.safetensors, or ${BUILT_IN.join(', ')}`;

/** Adds `--model` for one model. */
export function addModelOption(command: Command): Command {
  return command.option('--model <name>', MODEL_HELP, DEFAULT_PRETRAINED);
}

/** Adds `--model`, which may be repeated. */
export function addModelsOption(command: Command, byDefault: readonly string[]): Command {
  let given: string[] = [];
  const collect = (value: string) => {
    given = [...given, value];
    return given;
  };
  const option = new Option('--model <name>', `${MODEL_HELP}; may be repeated`);
  return command.addOption(option.argParser(collect).default(byDefault, byDefault.join(', ')));
}

/** Adds the options that `openMethods` reads. */
export function addMethodOptions(command: Command): Command {
  const budget = `GPU memory for a tile, without --tile (default: ${DEFAULT_MEMORY_BUDGET / MIB})`;
  command
    .option('--tile <px>', "side of a tile in the picture's pixels; 0: no tiles (default: by memory)", naturalNumber)
    .option('--memory-budget <MiB>', budget, positiveInteger)
    .option('--dictionary <file>', `examples for ${EXAMPLE_BASED} (see daybreak dictionary)`)
    .option('--threads <n>', 'threads of methods that run on the CPU (default: one per core)', positiveInteger);
  return addDeviceOptions(command);
}

/** The device that the options choose. */
export function gpuOf(options: DeviceChoice): Gpu {
  let opened: ReturnType<Gpu> | undefined;
  const open: Gpu = async () => {
    const { setCurrentDevice } = await import('../engine/tensor.ts');
    const device = await openDevice(options);
    setCurrentDevice(device);
    return { device, adapter: device.adapterName };
  };
  return async () => {
    opened ??= open();
    const known = await opened;
    if (!known.device.lost) return known;
    known.device.dispose();
    opened = open();
    return await opened;
  };
}

/**
 * Opens methods: loads the models, and a GPU if needed. Names of built-in methods and of shipped networks take precedence
 * over files; `./NAME` is always a file. If a device is lost, its networks are loaded onto the next (see `surviving`).
 * @throws ImageError for an unknown name; errors of the loader and the device.
 */
export async function openMethods(
  models: readonly string[],
  options: MethodOptions,
  gpu: Gpu,
): Promise<OpenedMethod[]> {
  const labels = labelsOf(models);
  const opened: OpenedMethod[] = [];
  for (const [i, model] of models.entries())
    opened.push({ ...(await openMethod(model, options, gpu)), label: labels[i] });
  return opened;
}

/** `openMethods` for one model. */
export async function openMethod(
  model: string,
  { tile, memoryBudget, threads, dictionary }: MethodOptions,
  gpu: Gpu,
): Promise<OpenedMethod> {
  if (isInterpolation(model)) {
    return { model, label: model, method: interpolation(model), scale: 4, adapter: undefined };
  }
  const declared = findMethod(model);
  if (declared) {
    const examples = declared.needsDictionary ? await examplesFor(model, dictionary) : undefined;
    const method = withoutTraining(declared, { runner: await runnerOf(threads), dictionary: examples });
    return { model, label: model, method, scale: declared.scale, adapter: undefined };
  }
  const path = await pathOf(model);
  const { loadUpscaler } = await import('../models/upscaler.node.ts');
  const budget = memoryBudget === undefined ? undefined : memoryBudget * MIB;
  let onNote: ((note: string) => void) | undefined = note => process.stderr.write(`note: ${note}\n`);
  const open = async () => {
    const { adapter } = await gpu();
    const upscaler = await loadUpscaler(path, { onNote });
    // Not again after a lost device.
    onNote = undefined;
    return { adapter, scale: upscaler.scale, method: network(upscaler, { tile, memoryBudget: budget }) };
  };
  const { method, scale, adapter } = await open();
  const lasting = surviving(method, async () => (await open()).method);
  return { model, label: labelOf(model), method: lasting, scale, adapter };
}

/** @throws UsageError if no file is named; the errors of `readDictionary`. */
async function examplesFor(model: string, file: string | undefined): Promise<PatchDictionary> {
  if (file === undefined) {
    throw new UsageError(`--dictionary: expected a file for ${model}, made by daybreak dictionary, got none`);
  }
  const { readDictionary } = await import('../eval/dictionary-file.node.ts');
  return await readDictionary(file);
}

/** Runners by number of threads: methods of one command share them, since only one works at a time. */
const runners = new Map<number, Runner>();

async function runnerOf(threads = availableParallelism()): Promise<Runner> {
  const { runnerFor } = await import('../methods/threads.node.ts');
  const runner = runners.get(threads) ?? runnerFor(threads);
  runners.set(threads, runner);
  return runner;
}

/** The names of methods that need neither a model nor a dictionary. */
export const READY_METHODS: readonly string[] = [
  ...INTERPOLATIONS,
  ...DECLARED_METHODS.filter(({ needsDictionary }) => !needsDictionary).map(({ name }) => name),
];

/** The file of a model, or undefined for a method without one. @throws ImageError for an unknown name. */
export const modelFileOf = async (model: string): Promise<string | undefined> =>
  BUILT_IN.includes(model) ? undefined : await pathOf(model);

async function pathOf(model: string): Promise<string> {
  // What can only be a file does not need the registry, so it works with a damaged one, too.
  const isPath = /[\\/]|\.safetensors$/.test(model);
  const shipped = isPath ? undefined : await findPretrained(model);
  if (shipped !== undefined) return shipped;
  const found = await stat(model).catch(() => undefined);
  if (found?.isFile()) return model;
  // A checkpoint, or a repository of the Hugging Face Hub.
  const inside = join(model, 'model.safetensors');
  if (found?.isDirectory() && (await stat(inside).catch(() => undefined))?.isFile()) return inside;
  if (isPath) throw new ImageError(model, 'no such model file (see daybreak models for the shipped networks)');
  throw new ImageError(model, `no such model file, nor one of ${(await methodNames()).join(', ')}`);
}

/** The methods that `openMethod` knows by name. */
export async function methodNames(): Promise<string[]> {
  return [...(await listPretrained()).map(({ name }) => name), ...BUILT_IN];
}

/** The label of a single model; see `labelsOf`. */
export const labelOf = (model: string): string => namesOf(model)[0];

/** A model's name in names of results; a run's checkpoint has both names, `first-best`. */
export function fileLabelOf(model: string): string {
  const [label, checkpoint] = namesOf(model);
  return isCheckpoint(model) ? checkpoint.replace('/', '-') : label;
}

/**
 * Labels of models for rows and captions: the shortest that distinguish them, `first`, or `first/best` and `first/last`.
 * A repeated model gets a number, `srgan (2)`.
 */
export function labelsOf(models: readonly string[]): string[] {
  const paths = models.map(model => (isName(model) ? model : resolve(model)));
  const names = models.map(namesOf);
  const label = (i: number, length: number) => names[i][Math.min(length, names[i].length - 1)];
  const lengths = models.map((_, i) => {
    const others = models.flatMap((_, other) => (paths[other] === paths[i] ? [] : [other]));
    const alike = (length: number) => others.some(other => label(other, length) === label(i, length));
    let length = 0;
    while (length < names[i].length - 1 && alike(length)) length++;
    return length;
  });
  return models.map((_, i) => {
    const earlier = paths.slice(0, i).filter(path => path === paths[i]).length;
    return label(i, lengths[i]) + (earlier === 0 ? '' : ` (${earlier + 1})`);
  });
}

const CHECKPOINT = /([^\\/]+)[\\/]checkpoints[\\/]([^\\/]+)[\\/](model(?:-scored)?)\.safetensors$/;

const isCheckpoint = (model: string) => CHECKPOINT.test(model);

/** True for names of shipped networks and built-in methods, false for paths. */
const isName = (model: string) => !/[\\/.]/.test(model);

/** Names of a model from short to long; the last is the value of `--model`. */
function namesOf(model: string): readonly string[] {
  const [, run, checkpoint, file] = CHECKPOINT.exec(model) ?? [];
  if (run !== undefined) return [run, `${run}/${checkpoint}`, `${run}/${checkpoint}/${file}`, model];
  const parts = model.split(/[\\/]/);
  const stem = basename(model, extname(model));
  return [stem, ...parts.slice(0, -1).map((_, i) => [...parts.slice(-2 - i, -1), stem].join('/')), model];
}

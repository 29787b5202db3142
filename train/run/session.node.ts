/** Training sessions: start a run or resume it. This is what `daybreak train` calls. */
import type { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { convolutionFamilies } from '../../kernels/products/conv2d/variants.ts';
import type { TrainConfig } from '../config/config.ts';
import { resumeConfig } from '../config/resume.ts';
import { Recalibration } from '../recalibration.ts';
import { recordChoices, recordedChoices } from '../run-folder/choices.node.ts';
import { describeEnvironment } from '../run-folder/environment.node.ts';
import { holdsRun, RunFolder, readRunConfig } from '../run-folder/folder.node.ts';
import { readPictureRecord, writePictureRecord } from '../run-folder/picture-record.node.ts';
import { readInitialWeights } from './initial-weights.node.ts';
import { firstNetworks, type Networks, restoredNetworks } from './networks.node.ts';
import { checkPictures, recordOf, withResumeAdvice } from './picture-check.node.ts';
import { prepare } from './preparation.node.ts';
import { checkGoal } from './session-goal.ts';
import type { SessionOptions, SessionResult } from './session-options.node.ts';
import { countersOf, restoreTrainer } from './state.ts';
import { survivingLosses } from './surviving-losses.node.ts';
import { trainingLoop } from './training-loop.node.ts';

export type { SessionOptions, SessionResult } from './session-options.node.ts';

/**
 * Starts a run in the folder `config.out` and trains it. The configuration that is stored there also has what follows from
 * the files it names: channels and blocks of the initial weights, the loss network's SHA-256.
 * @throws RunFolderError if the folder is not empty; ConfigError; whatever the updates throw.
 */
export async function startSession(config: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  return await survivingLosses(config.out, options, (device, again) =>
    again && holdsRun(config.out)
      ? resumeOnce(config, { ...options, device })
      : startOnce(config, { ...options, device }),
  );
}

/**
 * Resumes the run in the folder `config.out` from its checkpoint `last`, with the kernels that it was started with. The
 * result is the same to the bit as that of an uninterrupted run.
 * @param config the run's configuration, perhaps with changes: see {@link resumedConfig}.
 * @throws ConfigError if an option differs that cannot change; RunFolderError, CheckpointError; whatever the updates throw.
 */
export async function resumeSession(config: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  return await survivingLosses(config.out, options, device => resumeOnce(config, { ...options, device }));
}

/**
 * The configuration of the run in a folder, to resume it with.
 * @param changes options that may change when a run is resumed, such as `steps` or `eval`.
 * @throws ConfigError if another option differs; RunFolderError if the folder holds no run.
 */
export async function resumedConfig(out: string, changes: Readonly<Partial<TrainConfig>> = {}): Promise<TrainConfig> {
  return resumeConfig(await readRunConfig(out), { ...changes, out });
}

async function startOnce(given: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  setCurrentDevice(options.device);
  const initial = await readInitialWeights(given.init);
  const { networks, config } = await firstNetworks(given, initial, note => options.onLine?.(`note: ${note}`));
  using _ = networks;
  using folder = await RunFolder.create(config.out, config);
  if (initial) await folder.writeInitialWeights(initial);
  await recordChoices(folder.path, options.device);
  return await runSession(folder, config, networks, options);
}

async function resumeOnce(given: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  using folder = await RunFolder.resume(given.out);
  // Not the kernels tuned since: they add in another order.
  options.device.useChoices(await recordedChoices(folder.path));
  setCurrentDevice(options.device);
  const stored = await folder.config();
  const config = resumeConfig(stored, given);
  const last = folder.checkpointPath('last');
  const files = (await folder.checkpoints()).includes('last') ? await folder.readCheckpoint('last') : undefined;
  if (files) checkGoal(config.steps, options.stopAfter, countersOf(files, last).step);
  using networks = files
    ? await restoredNetworks(config, files, last)
    : (await firstNetworks(config, await initialWeights(folder, config))).networks;
  return await runSession(folder, config, networks, options, { stored, files });
}

/** The run's copy of its initial weights. Reads the original if the process died before the copy was written. */
async function initialWeights(folder: RunFolder, { init }: TrainConfig): Promise<Uint8Array | undefined> {
  const copy = await folder.initialWeights();
  if (copy) return copy;
  const initial = await readInitialWeights(init);
  if (initial) await folder.writeInitialWeights(initial);
  return initial;
}

/** State of a run before it is resumed. */
interface ResumedRun {
  readonly stored?: TrainConfig;
  /** Its checkpoint `last`, if it has one. */
  readonly files?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Reads the pictures, restores the trainer, and trains. */
async function runSession(
  folder: RunFolder,
  config: TrainConfig,
  networks: Networks,
  options: SessionOptions,
  { stored, files }: ResumedRun = {},
): Promise<SessionResult> {
  const { device, onLine } = options;
  using prepared = await prepare(config, networks, options, folder.path).catch(error => {
    throw stored ? withResumeAdvice(error, config) : error;
  });
  const { trainer, source, pictures, sets } = prepared;
  const [before, now] = [await readPictureRecord(folder.path), recordOf(pictures, sets)];
  // Without a checkpoint nothing has been learned from other pictures.
  if (stored && files) for (const line of checkPictures({ stored, config, before, now })) onLine?.(line);
  if (stored) await folder.writeConfig(config);
  if (JSON.stringify(before) !== JSON.stringify(now)) await writePictureRecord(folder.path, now);
  const resumed = files && restoreTrainer(files, folder.checkpointPath('last'), trainer);
  await folder.continueAfter(trainer.step);
  await folder.writeEnvironment(await environmentOf(device), trainer.step);
  using recalibration =
    config.recalibrate > 0 ? new Recalibration(networks.evaluated, source, config.recalibrate) : undefined;
  return await trainingLoop({ folder, config, networks, trainer, recalibration, sets, pictures, resumed }, options);
}

const environmentOf = (device: Device) => {
  const variants = convolutionFamilies.map(family => [family.name, family.variants.map(({ name }) => name)] as const);
  return describeEnvironment({
    adapter: { ...device.description },
    features: [...device.gpu.features].sort(),
    limits: { ...device.limits },
    kernels: {
      rule: 'the rule for this kind of adapter',
      ...Object.fromEntries(variants),
    },
  });
};

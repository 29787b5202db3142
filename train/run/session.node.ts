/** A training run from its configuration to its report: what `daybreak train` does. */
import type { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { convolutionFamilies } from '../../kernels/products/conv2d/variants.ts';
import type { TrainConfig } from '../config/config.ts';
import { resumeConfig } from '../config/resume.ts';
import { Recalibration } from '../recalibration.ts';
import { recordChoices, recordedChoices } from '../run-folder/choices.node.ts';
import { describeEnvironment } from '../run-folder/environment.node.ts';
import { holdsRun, RunFolder } from '../run-folder/folder.node.ts';
import { readPictureRecord, writePictureRecord } from '../run-folder/picture-record.node.ts';
import { readInitialWeights } from './initial-weights.node.ts';
import { survivingLosses } from './lost-devices.node.ts';
import { firstNetworks, type Networks, restoredNetworks } from './networks.node.ts';
import { checkPictures, recordOf, withResumeAdvice } from './picture-check.node.ts';
import { prepare } from './preparation.node.ts';
import { Run, type SessionOptions, type SessionResult } from './run.node.ts';
import { checkGoal } from './session-goal.ts';
import { countersOf, restoreTrainer } from './state.ts';

export type { SessionOptions, SessionResult } from './run.node.ts';

/**
 * Starts a run in the folder that the configuration names; with `reopen` in the options it outlives its device. Its
 * configuration there has, beside what was given, what follows from the files it names (channels and blocks of the first
 * weights, the loss network's SHA-256).
 */
export async function startSession(given: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  return await survivingLosses(given.out, options, (device, again) =>
    again && holdsRun(given.out)
      ? resumeOnce(given.out, {}, { ...options, device })
      : startOnce(given, { ...options, device }),
  );
}

async function startOnce(given: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  setCurrentDevice(options.device);
  const initial = await readInitialWeights(given.init);
  const { networks, config } = await firstNetworks(given, initial);
  using _ = networks;
  using folder = await RunFolder.create(config.out, config);
  if (initial) await folder.writeInitialWeights(initial);
  await recordChoices(folder.path, options.device);
  return await runSession(folder, config, networks, options);
}

/**
 * Goes on with the run in `out` from its last checkpoint, with the kernels that it was begun with; `changes` are options
 * that may differ.
 */
export async function resumeSession(
  out: string,
  changes: Readonly<Record<string, unknown>>,
  options: SessionOptions,
): Promise<SessionResult> {
  return await survivingLosses(out, options, device => resumeOnce(out, changes, { ...options, device }));
}

async function resumeOnce(
  out: string,
  changes: Readonly<Record<string, unknown>>,
  options: SessionOptions,
): Promise<SessionResult> {
  using folder = await RunFolder.resume(out);
  // Whatever has been tuned since: other kernels add in another order.
  options.device.useChoices(await recordedChoices(folder.path));
  setCurrentDevice(options.device);
  const stored = await folder.config();
  const config = resumeConfig(stored, { ...changes, out });
  const started = (await folder.checkpoints()).includes('last');
  const files = started ? await folder.readCheckpoint('last') : undefined;
  if (files) checkGoal(config.steps, options.stopAfter, countersOf(files, folder.checkpointPath('last')).step);
  using networks = files
    ? await restoredNetworks(config, files, folder.checkpointPath('last'))
    : (await firstNetworks(config, await firstWeights(folder, config))).networks;
  return await runSession(folder, config, networks, options, { stored, files });
}

/** The run's own copy of its first weights; read once more where its process died before they were written. */
async function firstWeights(folder: RunFolder, { init }: TrainConfig): Promise<Uint8Array | undefined> {
  const kept = await folder.initialWeights();
  if (kept) return kept;
  const initial = await readInitialWeights(init);
  if (initial) await folder.writeInitialWeights(initial);
  return initial;
}

/** What a run was when it was resumed. */
interface ResumedRun {
  /** Its configuration. */
  readonly stored?: TrainConfig;
  /** Its checkpoint `last`, where it came to one. */
  readonly files?: ReadonlyMap<string, Uint8Array> | undefined;
}

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
  // Without a checkpoint nothing has been learned from other pictures yet.
  if (stored && files) for (const line of checkPictures({ stored, config, before, now })) onLine?.(line);
  if (stored) await folder.writeConfig(config);
  if (JSON.stringify(before) !== JSON.stringify(now)) await writePictureRecord(folder.path, now);
  const resumed = files && restoreTrainer(files, folder.checkpointPath('last'), trainer);
  await folder.continueAfter(trainer.step);
  await folder.writeEnvironment(await environmentOf(device), trainer.step);
  using recalibration =
    config.recalibrate > 0 ? new Recalibration(networks.best, source, config.recalibrate) : undefined;
  using run = new Run({ folder, config, networks, trainer, recalibration, sets, pictures, resumed }, options);
  return await run.complete();
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

/** A training run from its configuration to its report: what `daybreak train` does. */
import type { Device } from '../engine/device.ts';
import { setCurrentDevice } from '../engine/init.ts';
import { type Evaluation, evaluate } from '../eval/evaluate.ts';
import { interpolation, type Method, network } from '../eval/methods.ts';
import { convolutionFamilies } from '../kernels/conv2d/variants.ts';
import { type SRResNet, srresnet } from '../models/srresnet.ts';
import { SRResNetUpscaler } from '../models/upscaler.ts';
import { resumeConfig, type TrainConfig } from './config.ts';
import { ContentTraining } from './content-training.ts';
import { CropSource } from './crop-source.ts';
import { describeEnvironment } from './environment.node.ts';
import { isEvaluation } from './metrics.ts';
import { type EvaluationSet, loadEvaluationSets, loadTrainingPictures, type TrainingPicture } from './pictures.node.ts';
import type { ProfileSummary } from './profile.ts';
import { type ProfileOptions, SessionProfile } from './profile-session.node.ts';
import type { ReportScores } from './report-content.ts';
import { stepEntries } from './report-content.ts';
import { type Exhibits, reportRun, writeSample } from './report-run.node.ts';
import { recordChoices, recordedChoices } from './run-choices.node.ts';
import { RunFolder } from './run-folder.node.ts';
import { learningRateAt } from './schedule.ts';
import { restoreNetwork, restoreTrainer, saveState } from './state.ts';
import { Trainer } from './trainer.ts';

export interface SessionOptions {
  readonly device: Device;
  /** Stop after this many updates, as if interrupted: the configuration's `steps` stay the goal. */
  readonly stopAfter?: number;
  readonly signal?: AbortSignal;
  /** The command line that trains this again, for the report. */
  readonly command: string;
  /** A long piece of work that is not training: reading, generating, compiling, scoring. */
  readonly onPhase?: (name: string, done: number, total: number) => void;
  readonly onStep?: (status: { step: number; loss: number; imagesPerSecond: number }) => void;
  readonly onLine?: (text: string) => void;
  /** Pictures that are loaded already. */
  readonly pictures?: readonly TrainingPicture[];
  /** Profile the first updates after the warm-up. They are the same as without, to the bit. */
  readonly profile?: ProfileOptions;
}

export interface SessionResult {
  readonly folder: string;
  /** Updates made. */
  readonly step: number;
  /** All updates of the configuration are made, and scored. */
  readonly finished: boolean;
  /** Scores of the finished network beside bicubic's. */
  readonly scores: readonly ReportScores[];
  /** Seconds in which the GPU waited for crops, over the whole run. */
  readonly waitedForData: number;
  /** Where it was asked for, and enough updates were made. */
  readonly profile?: ProfileSummary;
}

/** Starts a run in the folder that the configuration names. */
export async function startSession(config: TrainConfig, options: SessionOptions): Promise<SessionResult> {
  using folder = await RunFolder.create(config.out, config);
  await recordChoices(folder.path, options.device);
  setCurrentDevice(options.device);
  using net = srresnet({ channels: config.channels, blocks: config.blocks, seed: config.seed });
  return await runSession(folder, config, net, options);
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
  using folder = await RunFolder.resume(out);
  // Whatever has been tuned since: other kernels add in another order.
  options.device.useChoices(await recordedChoices(folder.path));
  setCurrentDevice(options.device);
  const config = resumeConfig(await folder.config(), { ...changes, out });
  await folder.writeConfig(config);
  const started = (await folder.checkpoints()).includes('last');
  const files = started ? await folder.readCheckpoint('last') : undefined;
  using net = files
    ? restoreNetwork(files, folder.checkpointPath('last'))
    : srresnet({ channels: config.channels, blocks: config.blocks, seed: config.seed });
  return await runSession(folder, config, net, options, files);
}

async function runSession(
  folder: RunFolder,
  config: TrainConfig,
  net: SRResNet,
  options: SessionOptions,
  files?: ReadonlyMap<string, Uint8Array>,
): Promise<SessionResult> {
  const { device, signal, onPhase, onLine } = options;
  const progress = (verb: string) => ({
    onProgress: ({ source, done, total }: { source: string; done: number; total: number }) =>
      onPhase?.(`${verb} ${source}`, done, total),
    ...(signal && { signal }),
  });
  const loaded = options.pictures
    ? { pictures: options.pictures, skipped: [] }
    : await loadTrainingPictures(config, progress('reading'));
  const held = await loadEvaluationSets(config.eval, progress('reading'));
  for (const { message } of [...loaded.skipped, ...held.skipped]) onLine?.(`skipped: ${message}`);
  if (loaded.skipped.length > 0)
    onLine?.(`${loaded.skipped.length} files skipped, ${loaded.pictures.length} pictures to train on`);
  using source = new CropSource(device, loaded.pictures, config);
  using trainer = new Trainer(new ContentTraining(net, config), source);
  const best = files ? restoreTrainer(files, folder.checkpointPath('last'), net, trainer).best : null;
  await folder.continueAfter(trainer.step);
  await folder.writeEnvironment(await environmentOf(device), trainer.step);
  using run = new Run(folder, config, net, trainer, held.sets, loaded.pictures, options, best);
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

/** The loop, and what has to happen between updates. */
class Run implements Disposable {
  readonly #folder: RunFolder;
  readonly #config: TrainConfig;
  readonly #net: SRResNet;
  readonly #trainer: Trainer;
  readonly #sets: readonly EvaluationSet[];
  readonly #pictures: readonly TrainingPicture[];
  readonly #options: SessionOptions;
  readonly #upscaler: SRResNetUpscaler;
  readonly #method: Method;
  readonly #profile: SessionProfile | undefined;
  #best: number | null;
  /** Seconds of training and of waiting before this session. */
  #secondsBefore = 0;
  #waitedBefore = 0;
  #seconds = 0;
  /** Evaluations in the log: update and set. */
  readonly #evaluated = new Set<string>();

  constructor(
    folder: RunFolder,
    config: TrainConfig,
    net: SRResNet,
    trainer: Trainer,
    sets: readonly EvaluationSet[],
    pictures: readonly TrainingPicture[],
    options: SessionOptions,
    best: number | null,
  ) {
    this.#folder = folder;
    this.#config = config;
    this.#net = net;
    this.#trainer = trainer;
    this.#sets = sets;
    this.#pictures = pictures;
    this.#options = options;
    this.#best = best;
    this.#upscaler = new SRResNetUpscaler(net, 'SRResNet');
    this.#method = network(this.#upscaler);
    const { profile, onLine } = options;
    this.#profile = profile && new SessionProfile(trainer, profile, onLine);
  }

  async complete(): Promise<SessionResult> {
    const { steps } = this.#config;
    const last = Math.min(steps, this.#options.stopAfter ?? steps);
    const entries = await this.#folder.readMetrics();
    for (const { step, evaluation } of entries.filter(isEvaluation)) this.#evaluated.add(`${step} ${evaluation.data}`);
    const before = stepEntries(entries).at(-1);
    this.#secondsBefore = before?.seconds ?? 0;
    this.#waitedBefore = before?.waitedForDataSeconds ?? 0;
    const { signal } = this.#options;
    try {
      // A signal or a death may have come between an update and what was due after it.
      if (this.#trainer.step > 0) await this.#pause(this.#trainer.step, this.#trainer.step >= steps);
      while (this.#trainer.step < last && !signal?.aborted) {
        const stop = Math.min(last, this.#nextStop(this.#trainer.step));
        await this.#train(stop);
        if (this.#trainer.step === stop && !signal?.aborted) await this.#pause(stop, stop === steps);
      }
    } catch (error) {
      // Whatever went wrong, an update that was not finite or a full disk: the state before it is whole.
      if (!this.#trainer.device.lost) await this.#save().catch(() => undefined);
      throw error;
    }
    await this.#save();
    await this.#profile?.end();
    const finished = this.#trainer.step >= steps && !signal?.aborted;
    const scores = finished ? await this.#finalScores() : [];
    await reportRun(this.#folder, this.#exhibits(), {
      command: this.#options.command,
      scores,
      step: this.#trainer.step,
    });
    return {
      folder: this.#folder.path,
      step: this.#trainer.step,
      finished,
      scores,
      waitedForData: this.#waitedBefore + this.#trainer.waitedForData,
      ...(this.#profile?.summary && { profile: this.#profile.summary }),
    };
  }

  /** The next update after `step` at which something else is due. */
  #nextStop(step: number): number {
    const { evalEvery, sampleEvery, saveEvery } = this.#config;
    const after = (every: number) => (every > 0 ? (Math.floor(step / every) + 1) * every : Number.POSITIVE_INFINITY);
    return Math.min(after(evalEvery), after(sampleEvery), after(saveEvery));
  }

  /** Updates up to `stop`, each logged as its result comes in. */
  async #train(stop: number): Promise<void> {
    const { batch, logEvery } = this.#config;
    const { signal, onPhase, onStep } = this.#options;
    const trainer = this.#trainer;
    const rate = (step: number) => learningRateAt(this.#config, step);
    if (trainer.figures === undefined) {
      const { step, loss } = await trainer.warmUp(rate, (done, total) => onPhase?.('warming up kernels', done, total));
      this.#log(step, loss, 0);
    }
    let began = performance.now();
    let logged = { at: began, step: trainer.step };
    let total = 0;
    let latest: { step: number; imagesPerSecond: number } | undefined;
    const elapsed = () => {
      const now = performance.now();
      this.#seconds += (now - began) / 1000;
      began = now;
    };
    const log = ({ step, imagesPerSecond }: { step: number; imagesPerSecond: number }) => {
      elapsed();
      this.#log(step, total / (step - logged.step), imagesPerSecond);
      logged = { at: began, step };
      total = 0;
    };
    try {
      const updates = this.#profile?.updates(stop, rate, signal) ?? trainer.run(stop, rate, signal);
      for await (const { step, loss } of updates) {
        total += loss;
        const seconds = (performance.now() - logged.at) / 1000;
        latest = { step, imagesPerSecond: ((step - logged.step) * batch) / Math.max(seconds, 1e-6) };
        onStep?.({ loss, ...latest });
        if (step % logEvery === 0) log(latest);
      }
      if (latest && latest.step > logged.step) log(latest);
    } finally {
      elapsed();
    }
  }

  #log(step: number, loss: number, imagesPerSecond: number): void {
    this.#folder.metrics.append({
      step,
      loss,
      lr: learningRateAt(this.#config, step - 1),
      imagesPerSecond,
      seconds: this.#secondsBefore + this.#seconds,
      waitedForDataSeconds: this.#waitedBefore + this.#trainer.waitedForData,
    });
  }

  /** What is due after `step` updates and was not done yet. The last evaluation is the report's. */
  async #pause(step: number, end: boolean): Promise<void> {
    const { evalEvery, sampleEvery, saveEvery, keep } = this.#config;
    const missing = this.#sets.some(({ data }) => !this.#evaluated.has(`${step} ${data}`));
    if (evalEvery > 0 && step % evalEvery === 0 && missing && !end) await this.#evaluate(step);
    if (sampleEvery > 0 && step % sampleEvery === 0) await writeSample(this.#folder, this.#exhibits(), step);
    if (step % saveEvery !== 0) return;
    await this.#save();
    await this.#folder.saveCheckpoint(`step-${step}`, await this.#state());
    await this.#folder.pruneCheckpoints(keep);
  }

  async #state(): Promise<Map<string, Uint8Array>> {
    return await saveState(this.#net, this.#trainer, this.#best);
  }

  async #save(): Promise<void> {
    await this.#folder.saveCheckpoint('last', await this.#state());
  }

  /** Scores the network on every set and keeps the best. */
  async #evaluate(step: number): Promise<Evaluation[]> {
    const results: Evaluation[] = [];
    for (const { data, pictures } of this.#sets) {
      const result = await this.#score(this.#method, data, pictures, 'scoring');
      results.push(result);
      const { mean } = result;
      if (!mean || this.#evaluated.has(`${step} ${data}`)) continue;
      this.#evaluated.add(`${step} ${data}`);
      this.#folder.metrics.append({ step, evaluation: { data, ...mean } });
      this.#options.onLine?.(
        `step ${step}: ${data} ${mean.psnr.toFixed(2)} dB, SSIM ${mean.ssim.toFixed(4)} (protocol matlab)`,
      );
    }
    const first = results[0]?.mean?.psnr;
    if (first !== undefined && (this.#best === null || first > this.#best)) {
      this.#best = first;
      await this.#folder.saveCheckpoint('best', await this.#state());
    }
    return results;
  }

  async #score(method: Method, data: string, pictures: readonly TrainingPicture[], verb: string): Promise<Evaluation> {
    const { onPhase } = this.#options;
    onPhase?.(`${verb} ${data}`, 0, pictures.length);
    return await evaluate(method, pictures, {
      onPicture: (_, index) => onPhase?.(`${verb} ${data}`, index + 1, pictures.length),
    });
  }

  /** The finished network beside bicubic, picture by picture. */
  async #finalScores(): Promise<ReportScores[]> {
    const results = await this.#evaluate(this.#trainer.step);
    await this.#save();
    const scores: ReportScores[] = [];
    for (const [i, { data, pictures }] of this.#sets.entries()) {
      const bicubic = await this.#score(interpolation('bicubic'), data, pictures, 'scoring bicubic on');
      scores.push({
        data,
        images: results[i]!.images.map((model, j) => ({ name: model.name, model, bicubic: bicubic.images[j]! })),
      });
    }
    return scores;
  }

  #exhibits(): Exhibits {
    return { config: this.#config, sets: this.#sets, pictures: this.#pictures, method: this.#method };
  }

  [Symbol.dispose](): void {
    this.#upscaler.dispose();
  }
}

/** A run under way: its updates, and what has to happen between them. */
import { join } from 'node:path';
import type { Device } from '../engine/device.ts';
import type { Measure } from '../eval/evaluate.ts';
import { interpolation, type Method, network } from '../eval/methods.ts';
import { decodeModel } from '../models/model-file.ts';
import { SRResNetUpscaler } from '../models/upscaler.ts';
import { type TrainConfig, variantOfConfig } from './config.ts';
import { type Exhibits, INITIAL } from './exhibits.ts';
import { isEvaluation } from './metrics.ts';
import type { Networks } from './networks.node.ts';
import type { EvaluationSet, TrainingPicture } from './pictures.node.ts';
import type { ProfileSummary } from './profile.ts';
import { type ProfileOptions, SessionProfile } from './profile-session.node.ts';
import type { Recalibration } from './recalibration.ts';
import { type ReportScores, stepEntries } from './report-content.ts';
import { reportRun } from './report-run.node.ts';
import type { RunFolder } from './run-folder.node.ts';
import { writeSample } from './samples.node.ts';
import { learningRateAt } from './schedule.ts';
import { Scoring } from './scoring.ts';
import { MODEL, SCORED, saveState } from './state.ts';
import { StepLog } from './step-log.ts';
import { textureMeasure } from './texture-measure.ts';
import type { StepResult, Trainer } from './trainer.ts';

export interface SessionOptions {
  readonly device: Device;
  /** Stop after this many updates, as if interrupted: the configuration's `steps` stay the goal. */
  readonly stopAfter?: number;
  readonly signal?: AbortSignal;
  /** The command line that trains this again, for the report. */
  readonly command: string;
  /** A long piece of work that is not training: reading, generating, compiling, scoring. */
  readonly onPhase?: (name: string, done: number, total: number) => void;
  readonly onStep?: (status: StepResult & { readonly imagesPerSecond: number }) => void;
  readonly onLine?: (text: string) => void;
  /** Pictures that are loaded already. */
  readonly pictures?: readonly TrainingPicture[];
  /** Profile the first updates after the warm-up. They are the same as without, to the bit. */
  readonly profile?: ProfileOptions;
}

export interface SessionResult {
  readonly folder: string;
  /** The file of the generator that is scored and shown, in the checkpoint `last`. */
  readonly model: string;
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

/** What a run consists of. */
export interface RunParts {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  readonly networks: Networks;
  readonly trainer: Trainer;
  readonly recalibration: Recalibration | undefined;
  readonly sets: readonly EvaluationSet[];
  readonly pictures: readonly TrainingPicture[];
  /** PSNR of the checkpoint `best`, dB; null before the first evaluation. */
  readonly best: number | null;
}

export class Run implements Disposable {
  readonly #parts: RunParts;
  readonly #options: SessionOptions;
  readonly #upscaler: SRResNetUpscaler;
  readonly #method: Method;
  readonly #profile: SessionProfile | undefined;
  #best: number | null;
  /** The update for which the generator that is scored is ready. */
  #prepared: number | undefined;

  constructor(parts: RunParts, options: SessionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#best = parts.best;
    this.#upscaler = new SRResNetUpscaler(parts.networks.best, variantOfConfig(parts.config).label);
    this.#method = network(this.#upscaler);
    const { profile, onLine } = options;
    this.#profile = profile && new SessionProfile(parts.trainer, profile, onLine);
  }

  /** Trains to the end, or to a stop, and reports. */
  async complete(): Promise<SessionResult> {
    const { folder, trainer, config, networks } = this.#parts;
    const { signal, stopAfter, command } = this.#options;
    const { steps } = config;
    const last = Math.min(steps, stopAfter ?? steps);
    const [log, scoring] = await this.#logs();
    try {
      // A signal or a death may have come between an update and what was due after it.
      if (trainer.step > 0) await this.#pause(trainer.step, scoring);
      while (trainer.step < last && !signal?.aborted) {
        const stop = Math.min(last, this.#nextStop(trainer.step));
        await this.#train(stop, log);
        if (trainer.step === stop && !signal?.aborted) await this.#pause(stop, scoring);
      }
    } catch (error) {
      // Whatever went wrong, an update that was not finite or a full disk: the state before it is whole.
      if (!trainer.device.lost) await this.#save().catch(() => undefined);
      throw error;
    }
    await this.#save();
    await this.#profile?.end();
    const finished = trainer.step >= steps && !signal?.aborted;
    using initial = await this.#initial();
    const scores = finished ? await this.#finalScores(scoring, initial?.method) : [];
    const loss = networks.explanation(config);
    await reportRun(folder, this.#exhibits(initial?.method), { command, scores, loss, step: trainer.step });
    return {
      folder: folder.path,
      model: join(folder.checkpointPath('last'), networks.scored ? SCORED : MODEL),
      step: trainer.step,
      finished,
      scores,
      waitedForData: log.waited,
      ...(this.#profile?.summary && { profile: this.#profile.summary }),
    };
  }

  async #logs(): Promise<[StepLog, Scoring]> {
    const { folder, config, trainer, sets } = this.#parts;
    const { onPhase, onLine } = this.#options;
    const entries = await folder.readMetrics();
    const append = (entry: Parameters<RunFolder['record']>[0]) => folder.record(entry);
    const log = new StepLog({
      batch: config.batch * config.accumulate,
      rate: step => learningRateAt(config, step),
      waited: () => trainer.waitedForData,
      before: stepEntries(entries).at(-1),
      append,
    });
    const logged = entries.filter(isEvaluation);
    return [log, new Scoring({ sets, method: this.#method, logged, append, onPhase, onLine })];
  }

  /** The next update after `step` at which something else is due. */
  #nextStop(step: number): number {
    const { evalEvery, sampleEvery, saveEvery } = this.#parts.config;
    const after = (every: number) => (every > 0 ? (Math.floor(step / every) + 1) * every : Number.POSITIVE_INFINITY);
    return Math.min(after(evalEvery), after(sampleEvery), after(saveEvery));
  }

  /** Updates up to `stop`, each logged as its result comes in. */
  async #train(stop: number, log: StepLog): Promise<void> {
    const { trainer, config } = this.#parts;
    const { signal, onPhase, onStep } = this.#options;
    const rate = (step: number) => learningRateAt(config, step);
    if (trainer.figures === undefined) {
      log.add(await trainer.warmUp(rate, (done, total) => onPhase?.('warming up kernels', done, total)));
      log.write();
    }
    log.begin();
    try {
      const updates = this.#profile?.updates(stop, rate, signal) ?? trainer.run(stop, rate, signal);
      for await (const result of updates) {
        const imagesPerSecond = log.add(result);
        onStep?.({ ...result, imagesPerSecond });
        if (result.step % config.logEvery === 0) log.write();
      }
    } finally {
      log.end();
    }
  }

  /** What is due after `step` updates and was not done yet. The last evaluation is the report's. */
  async #pause(step: number, scoring: Scoring): Promise<void> {
    const { folder, config } = this.#parts;
    const { evalEvery, sampleEvery, saveEvery, keep, steps } = config;
    await this.#prepare();
    if (evalEvery > 0 && step % evalEvery === 0 && step < steps && scoring.isDue(step))
      await this.#score(step, scoring);
    if (sampleEvery > 0 && step % sampleEvery === 0) await writeSample(folder, this.#exhibits(), step);
    if (step % saveEvery !== 0) return;
    const state = await this.#state();
    for (const name of ['last', `step-${step}`] as const) await folder.saveCheckpoint(name, state);
    await folder.pruneCheckpoints(keep);
  }

  /** Makes the generator that is scored ready, once an update. */
  async #prepare(): Promise<void> {
    const { networks, config, trainer, recalibration } = this.#parts;
    if (this.#prepared === trainer.step) return;
    await networks.follow(config);
    await recalibration?.run();
    this.#prepared = trainer.step;
  }

  async #state(): Promise<Map<string, Uint8Array>> {
    const { networks, trainer } = this.#parts;
    await this.#prepare();
    return await saveState(networks, trainer, this.#best);
  }

  async #save(): Promise<void> {
    await this.#parts.folder.saveCheckpoint('last', await this.#state());
  }

  /** Scores the network on every set and keeps the best. */
  async #score(step: number, scoring: Scoring, measure?: Measure) {
    const results = await scoring.after(step, measure);
    const first = results[0]?.mean?.psnr;
    if (first !== undefined && (this.#best === null || first > this.#best)) {
      this.#best = first;
      await this.#parts.folder.saveCheckpoint('best', await this.#state());
    }
    return results;
  }

  /** The finished network beside bicubic and what it began as, picture by picture. */
  async #finalScores(scoring: Scoring, initial: Method | undefined): Promise<ReportScores[]> {
    const { trainer, sets, config, networks } = this.#parts;
    const variant = variantOfConfig(config);
    // An SRResNet is judged by PSNR, which it was trained for.
    const measure = variant.mse && !variant.adversarial ? undefined : textureMeasure(networks.vgg, variant.vgg);
    const results = await this.#score(trainer.step, scoring, measure);
    await this.#save();
    const bicubic = await scoring.all(interpolation('bicubic'), 'scoring bicubic on', measure);
    const before = initial && (await scoring.all(initial, `scoring ${INITIAL} on`, measure));
    return sets.map(({ data }, i) => ({
      data,
      images: results[i]!.images.map((model, j) => ({
        name: model.name,
        bicubic: bicubic[i]!.images[j]!,
        ...(before && { initial: before[i]!.images[j]! }),
        model,
      })),
    }));
  }

  /** The network that the run began with, where it is another's result: an SRResNet that goes on is its own. */
  async #initial(): Promise<(Disposable & { readonly method: Method }) | undefined> {
    const { folder, config } = this.#parts;
    const variant = variantOfConfig(config);
    const bytes = variant.mse && !variant.adversarial ? undefined : await folder.initialWeights();
    if (!bytes) return undefined;
    const net = decodeModel(bytes, config.init);
    const upscaler = new SRResNetUpscaler(net, INITIAL);
    return {
      method: network(upscaler),
      [Symbol.dispose]() {
        upscaler.dispose();
        net.dispose();
      },
    };
  }

  #exhibits(initial?: Method): Exhibits {
    const { config, sets, pictures } = this.#parts;
    return { config, sets, pictures, method: this.#method, initial };
  }

  [Symbol.dispose](): void {
    this.#upscaler.dispose();
  }
}

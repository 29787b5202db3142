/** A run under way: its updates, and what has to happen between them. */
import { join } from 'node:path';
import type { Measure } from '../../eval/evaluate.ts';
import { type Method, network } from '../../eval/methods.ts';
import { SRResNetUpscaler } from '../../models/upscaler.ts';
import { variantOfConfig } from '../config/config.ts';
import { NonFiniteError, RunFolderError } from '../errors.ts';
import { SessionProfile } from '../profile/session-profile.node.ts';
import { count, forShell } from '../readable.ts';
import { stepEntries } from '../report/report-content.ts';
import { Scoring } from '../report/scoring.ts';
import { type Selection, selectionOf } from '../report/selection.ts';
import type { CheckpointName, RunFolder } from '../run-folder/folder.node.ts';
import { isEvaluation } from '../run-folder/metrics.ts';
import { learningRateAt } from '../schedule.ts';
import { SkipLines } from '../skip.ts';
import type { StepResult } from '../trainer.ts';
import { withLimitAdvice } from './limit-advice.ts';
import type { RunParts } from './parts.node.ts';
import { nextStop } from './pauses.ts';
import type { SessionOptions, SessionResult } from './session-options.node.ts';
import { Showing } from './showing.node.ts';
import { countersOf, MODEL, SCORED, saveState } from './state.ts';
import { StepLog } from './step-log.ts';

export type { SessionOptions, SessionResult } from './session-options.node.ts';

export class Run implements Disposable {
  readonly #parts: RunParts;
  readonly #options: SessionOptions;
  readonly #upscaler: SRResNetUpscaler;
  readonly #method: Method;
  readonly #showing: Showing;
  readonly #skips = new SkipLines();
  readonly #profile: SessionProfile | undefined;
  readonly #selection: Selection;
  /** The figure of the checkpoint `best`. */
  #best: number | null;
  /** Updates of the checkpoint `last`. */
  #saved: number;
  /** The update for which the generator that is scored is ready. */
  #prepared: number | undefined;

  constructor(parts: RunParts, options: SessionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#selection = selectionOf(variantOfConfig(parts.config));
    const { by } = this.#selection;
    // Runs of earlier versions chose by PSNR whatever they trained: figures of two kinds do not compare.
    const { best, bestBy = 'psnr' } = parts.resumed ?? { best: null };
    this.#best = bestBy === by ? best : null;
    if (best !== null && bestBy !== by)
      options.onLine?.(`note: best was chosen by PSNR until now; from here on by ${this.#selection.words}`);
    this.#saved = parts.trainer.step;
    this.#upscaler = new SRResNetUpscaler(parts.networks.best, variantOfConfig(parts.config).label);
    this.#method = network(this.#upscaler);
    this.#showing = new Showing(parts, options, this.#method);
    const { profile, onLine } = options;
    this.#profile = profile && new SessionProfile(parts.trainer, profile, onLine);
  }

  /**
   * Trains to the end, or to a stop, and reports.
   * @throws RunFolderError where something cannot be written, saying from where the run goes on; what updates throw.
   */
  async complete(): Promise<SessionResult> {
    try {
      return await this.#complete();
    } catch (error) {
      if (error instanceof NonFiniteError) throw error.advised(await this.#advice());
      if (!(error instanceof RunFolderError)) throw error;
      const kept =
        this.#saved > 0 ? `kept up to update ${count(this.#saved)}: --resume goes on from there` : 'not saved yet';
      const problem = error.message.slice(error.path.length + 2);
      throw new RunFolderError(error.path, `${problem}; the run is ${kept}`, { cause: error });
    }
  }

  /** What to do when weights broke. */
  async #advice(): Promise<string> {
    const { folder, trainer, config } = this.#parts;
    const earlier = await this.#earlierCheckpoint();
    const from = earlier
      ? `from earlier weights, --init ${forShell(folder.checkpointPath(earlier))},`
      : 'from the start';
    const goOn = trainer.step < config.steps ? '--resume tries the next batches; where all fail, ' : '';
    return `${goOn}train ${from} with a lower --lr`;
  }

  /** The newest checkpoint of fewer updates than the state has: the last that counted may have ruined the weights. */
  async #earlierCheckpoint(): Promise<CheckpointName | undefined> {
    const { folder, trainer } = this.#parts;
    const made = trainer.step - (await trainer.skipped()).all;
    const names = (await folder.checkpoints()).filter(name => name !== 'last');
    // best, then step-N by N.
    for (const name of names.toReversed()) {
      const files = await folder.readCheckpoint(name).catch(() => undefined);
      if (!files) continue;
      const { step, skipped } = countersOf(files, name);
      if (step - (skipped?.all ?? 0) < made) return name;
    }
    return undefined;
  }

  async #complete(): Promise<SessionResult> {
    const { folder, trainer, config, networks } = this.#parts;
    const { signal, stopAfter } = this.#options;
    const { steps } = config;
    const showing = this.#showing;
    const last = Math.min(steps, stopAfter ?? steps);
    const [log, scoring] = await this.#logs();
    try {
      // A signal or a death may have come between an update and what was due after it.
      if (trainer.step === nextStop(config, trainer.step - 1)) this.#rest(log);
      if (trainer.step > 0) await this.#pause(trainer.step, scoring, await folder.checkpoints());
      while (trainer.step < last && !signal?.aborted) {
        const stop = Math.min(last, nextStop(config, trainer.step));
        await this.#train(stop, log);
        if (trainer.step === stop && !signal?.aborted) await this.#pause(stop, scoring);
      }
    } catch (error) {
      if (!this.#isStop(error)) {
        // Whatever went wrong, updates that were not finite or a sample that finds no room: the state before it is whole.
        if (!trainer.device.lost) await this.#stopAfter(error, log);
        throw error;
      }
    }
    await this.#stop(log);
    await this.#profile?.end();
    const finish = async () => {
      const results = await showing.attempt('no scores', () => this.#score(trainer.step, scoring, showing.measure));
      // The best may be another now.
      await this.#save();
      return await showing.report(scoring, results);
    };
    const final = trainer.step >= steps ? await this.#unlessStopped(finish) : undefined;
    const finished = final !== undefined;
    const scores = final ?? (await showing.report(scoring, undefined));
    const { all: skipped } = await trainer.skipped();
    return {
      folder: folder.path,
      model: join(folder.checkpointPath('last'), networks.scored ? SCORED : MODEL),
      step: trainer.step,
      finished,
      scores,
      waitedForData: log.waited,
      ...(skipped > 0 && { skipped }),
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
      before: folder.unfinished ?? stepEntries(entries).at(-1),
      append,
    });
    const logged = entries.filter(isEvaluation);
    const { signal } = this.#options;
    const [method, selection] = [this.#method, this.#selection];
    return [log, new Scoring({ sets, method, selection, logged, append, signal, onPhase, onLine })];
  }

  /** Whether an error is the signal's, by which scoring is broken off. */
  #isStop(error: unknown): boolean {
    const { signal } = this.#options;
    return signal?.aborted === true && error === signal.reason;
  }

  /** What `work` gives; undefined where the run is to stop before it is done. */
  async #unlessStopped<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#options.signal?.aborted) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!this.#isStop(error)) throw error;
      return undefined;
    }
  }

  /** Updates up to `stop`, each logged as its result comes in. */
  async #train(stop: number, log: StepLog): Promise<void> {
    const { trainer, config } = this.#parts;
    const { onPhase, onStep } = this.#options;
    const rate = (step: number) => learningRateAt(config, step);
    if (trainer.figures === undefined) {
      const onKernel = (done: number, total: number) => onPhase?.('warming up kernels', done, total);
      const first = await trainer.warmUp(rate, onKernel).catch(error => {
        throw withLimitAdvice(error, config);
      });
      log.add(first);
      this.#tellSkip(first);
      if (first.step === 1 || first.step % config.logEvery === 0) log.write();
      await this.#saveEnd(first, log);
    }
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(this.#options.signal ? [this.#options.signal] : [])]);
    log.begin();
    try {
      const updates = this.#profile?.updates(stop, rate, signal) ?? trainer.run(stop, rate, signal);
      for await (const result of updates) {
        const imagesPerSecond = log.add(result);
        // Updates that are under way still count: the state has them, and so must the log.
        if (failure.signal.aborted) continue;
        try {
          this.#tellSkip(result);
          const { live, pooled } = trainer.device.memory.figures();
          onStep?.({ ...result, imagesPerSecond, gpuBytes: live + pooled });
          if (result.step % config.logEvery === 0) log.write();
          await this.#saveEnd(result, log);
        } catch (error) {
          failure.abort(error);
        }
      }
      failure.signal.throwIfAborted();
    } catch (error) {
      // What the updates were broken off for comes first.
      throw failure.signal.aborted ? failure.signal.reason : error;
    } finally {
      this.#rest(log);
    }
  }

  #tellSkip({ step, skipped }: StepResult): void {
    const line = skipped && this.#skips.line(step, skipped, this.#parts.config.maxNonFinite);
    if (line !== undefined) this.#options.onLine?.(line);
  }

  /** Saves at once where too many skipped updates end the training: looking for what was first may take long. */
  async #saveEnd({ skipped }: StepResult, log: StepLog): Promise<void> {
    if (skipped?.inRow === this.#parts.config.maxNonFinite) await this.#stop(log);
  }

  /** What was trained up to a failure is saved; where that fails too, it is told beside it. */
  async #stopAfter(error: unknown, log: StepLog): Promise<void> {
    try {
      // An end by what is not finite was saved before.
      if (!(error instanceof NonFiniteError)) await this.#stop(log);
      await this.#profile?.end();
    } catch (other) {
      const [again, message] = [error, other].map(one => (one instanceof Error ? one.message : String(one)));
      if (message !== again) this.#options.onLine?.(message);
    }
  }

  async #stop(log: StepLog): Promise<void> {
    this.#rest(log);
    await this.#save();
  }

  /** Pauses the log, which keeps what an unbroken run would not have written yet. */
  #rest(log: StepLog): void {
    const { trainer, config } = this.#parts;
    log.end({ unfinished: trainer.step !== nextStop(config, trainer.step - 1) });
  }

  /** What is due after `step` updates and was not done yet. The last evaluation is the report's. */
  async #pause(step: number, scoring: Scoring, there: readonly CheckpointName[] = []): Promise<void> {
    const { folder, config, trainer } = this.#parts;
    const { evalEvery, sampleEvery, saveEvery, keep, steps } = config;
    await this.#prepare();
    if (evalEvery > 0 && step % evalEvery === 0 && step < steps && scoring.isDue(step, this.#best)) {
      // Scores can be computed again, updates cannot: scoring takes long, and may be broken off.
      if (this.#saved < step) await this.#save();
      await this.#showing.attempt('no scores', () => this.#score(step, scoring, this.#showing.selectingMeasure));
    }
    if (sampleEvery > 0 && step % sampleEvery === 0) await this.#showing.sample();
    if (step % saveEvery !== 0) return;
    const state = await this.#state();
    await this.#save(state);
    // Weights that are about to end the run, or have ended it before, are not kept in the place of good ones.
    if ((await trainer.skipped()).inRow > 0 || this.#wasSkipping(step)) return;
    // Not twice: a run that is finished and resumed knows a best that it did not know then.
    if (!there.includes(`step-${step}`)) await folder.saveCheckpoint(`step-${step}`, state);
    await folder.pruneCheckpoints(keep);
  }

  /** Whether the checkpoint that the session went on from was of an update that was skipped, and this is it. */
  #wasSkipping(step: number): boolean {
    const { resumed } = this.#parts;
    return resumed?.step === step && resumed.skipped !== undefined && resumed.skipped.inRow > 0;
  }

  /** Makes the generator that is scored ready, once an update. */
  async #prepare(): Promise<void> {
    const { networks, config, trainer, recalibration } = this.#parts;
    if (this.#prepared === trainer.step) return;
    await networks.follow(config);
    await recalibration?.run();
    this.#prepared = trainer.step;
  }

  async #state(best = this.#best): Promise<Map<string, Uint8Array>> {
    const { networks, trainer } = this.#parts;
    await this.#prepare();
    return await saveState(networks, trainer, best, this.#selection.by);
  }

  async #save(state?: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#parts.folder.saveCheckpoint('last', state ?? (await this.#state()));
    this.#saved = this.#parts.trainer.step;
  }

  /** Scores the network on every set and keeps the best. */
  async #score(step: number, scoring: Scoring, measure?: Measure) {
    const results = await scoring.after(step, measure);
    const mean = results[0]?.mean;
    const first = mean && this.#selection.figureOf(mean);
    if (first !== undefined && this.#selection.isBetter(first, this.#best)) {
      await this.#parts.folder.saveCheckpoint('best', await this.#state(first));
      this.#best = first;
    }
    return results;
  }

  [Symbol.dispose](): void {
    this.#upscaler.dispose();
  }
}

/** The training loop: update, log, evaluate, draw samples, save, and report at the end. */
import { join } from 'node:path';
import { count, forShell } from '../../common/text.ts';
import { variantOfConfig } from '../config/config.ts';
import { NonFiniteError, RunFolderError } from '../errors.ts';
import { SessionProfile } from '../profile/session-profile.node.ts';
import { Scoring } from '../report/scoring.ts';
import { selectionOf } from '../report/selection.ts';
import { isEvaluation } from '../run-folder/metrics.ts';
import { learningRateAt } from '../schedule.ts';
import { SkipLines } from '../skip.ts';
import type { StepResult } from '../trainer.ts';
import { Checkpoints } from './checkpoints.node.ts';
import { withLimitAdvice } from './limit-advice.ts';
import { nextStop } from './next-stop.ts';
import type { OpenRun } from './open-run.node.ts';
import { RunReporter } from './run-reporter.node.ts';
import type { SessionOptions, SessionResult } from './session-options.node.ts';
import { MODEL, SCORED } from './state.ts';
import { openStepLog, type StepLog } from './step-log.node.ts';

/**
 * Trains an open run to its end or to a stop, then writes its report.
 * @throws RunFolderError if a file cannot be written, saying from which update the run can be resumed; NonFiniteError with
 *   advice; whatever updates throw.
 */
export async function trainingLoop(run: OpenRun, options: SessionOptions): Promise<SessionResult> {
  const { folder, config, trainer } = run;
  const { steps, logEvery, evalEvery, sampleEvery, maxNonFinite } = config;
  const { signal, onStep, onLine } = options;
  using reporter = new RunReporter(run, options);
  const selection = selectionOf(variantOfConfig(config));
  const checkpoints = new Checkpoints(run, selection);
  noteSelection(run, options);
  const metrics = await folder.readMetrics();
  const log = openStepLog(run, metrics);
  const scoring = new Scoring({
    sets: run.sets,
    method: reporter.method,
    selection,
    logged: metrics.filter(isEvaluation),
    append: entry => folder.record(entry),
    ...options,
  });
  const profile = options.profile && new SessionProfile(trainer, options.profile, onLine);
  const skips = new SkipLines();

  const isStop = (step: number) => step === nextStop(config, step - 1);
  const stopLog = () => log.stop({ unfinished: !isStop(trainer.step) });

  /** Evaluates, and saves the checkpoint `best` if this is the best so far. */
  const evaluate = async (measure = reporter.selectingMeasure) =>
    await reporter.attempt('no scores', async () => {
      const results = await scoring.after(trainer.step, measure);
      const score = results[0]?.mean && selection.figureOf(results[0].mean);
      if (score !== undefined) await checkpoints.offer(score);
      return results;
    });

  /** Does what is due after the current update and was not done before. The last evaluation belongs to the report. */
  const pause = async () => {
    const { step } = trainer;
    const isDue = (every: number) => every > 0 && step % every === 0;
    await checkpoints.prepare();
    if (isDue(evalEvery) && step < steps && scoring.isDue(step, checkpoints.best)) {
      // Updates are lost if they are not saved; an interrupted evaluation can be repeated.
      if (checkpoints.savedStep < step) await checkpoints.saveLast();
      await evaluate();
    }
    if (isDue(sampleEvery)) await reporter.sample();
    if (isDue(config.saveEvery)) await checkpoints.saveNumbered();
  };

  try {
    // The last session may have stopped between an update and the evaluation, sample or checkpoint due after it.
    if (isStop(trainer.step)) stopLog();
    if (trainer.step > 0) await pause();

    for await (const result of updates(run, options, log, profile)) {
      const { step, skipped } = result;
      const imagesPerSecond = log.add(result);
      const line = skipped && skips.line(step, skipped, maxNonFinite);
      if (line !== undefined) onLine?.(line);
      if (imagesPerSecond !== undefined) onStep?.({ ...result, imagesPerSecond, gpuBytes: gpuBytesOf(run) });
      if (step === 1 || step % logEvery === 0) log.write();
      if (skipped?.inRow === maxNonFinite) {
        // This ends the training with an error, after a diagnosis that may take long: save first.
        stopLog();
        await checkpoints.saveLast();
      } else if (isStop(step) && !signal?.aborted) {
        stopLog();
        await pause();
      }
    }
  } catch (error) {
    // A signal stops scoring by throwing its reason.
    if (!(signal?.aborted && error === signal.reason)) {
      if (!trainer.device.lost) await saveAfter(error);
      throw await explained(error);
    }
  }

  try {
    stopLog();
    await checkpoints.saveLast();
    await profile?.end();
    const results = await unlessStopped(options, async () => {
      if (trainer.step < steps) return undefined;
      const results = await evaluate(reporter.measure);
      await checkpoints.saveLast(); // The best may have changed.
      return await reporter.report(scoring, results);
    });
    return {
      folder: folder.path,
      model: join(folder.checkpointPath('last'), run.networks.scored ? SCORED : MODEL),
      step: trainer.step,
      finished: results !== undefined,
      scores: results ?? (await reporter.report(scoring, undefined)),
      waitedForData: log.waited,
      ...(await skippedOf(run)),
      ...(profile?.summary && { profile: profile.summary }),
    };
  } catch (error) {
    throw await explained(error);
  }

  /** After a failure: logs updates that were already submitted and saves `last`. Reports a second failure as a line. */
  async function saveAfter(error: unknown): Promise<void> {
    try {
      // A training that ended was saved before.
      if (!(error instanceof NonFiniteError)) {
        for await (const result of trainer.run(trainer.step, rateOf(run))) log.add(result);
        stopLog();
        await checkpoints.saveLast();
      }
      await profile?.end();
    } catch (second) {
      const [first, other] = [error, second].map(one => (one instanceof Error ? one.message : String(one)));
      if (other !== first) onLine?.(other);
    }
  }

  /** Adds to an error what the user can do. */
  async function explained(error: unknown): Promise<unknown> {
    if (error instanceof NonFiniteError) return error.advised(await adviceAfterEnd(run, checkpoints));
    if (!(error instanceof RunFolderError)) return error;
    const { savedStep } = checkpoints;
    const saved = savedStep > 0 ? `saved up to update ${count(savedStep)}: resume it with --resume` : 'not saved yet';
    const problem = error.message.slice(error.path.length + 2);
    return new RunFolderError(error.path, `${problem}; the run is ${saved}`, { cause: error });
  }
}

/** Yields updates in segments that end where something is due, so that no update is in flight then. */
async function* updates(
  run: OpenRun,
  { stopAfter, signal, onPhase }: SessionOptions,
  log: StepLog,
  profile: SessionProfile | undefined,
): AsyncGenerator<StepResult, void, undefined> {
  const { trainer, config } = run;
  const rate = rateOf(run);
  const last = Math.min(config.steps, stopAfter ?? config.steps);
  if (trainer.step < last && !signal?.aborted && trainer.figures === undefined) {
    const onKernel = (done: number, total: number) => onPhase?.('warming up kernels', done, total);
    yield await trainer.warmUp(rate, onKernel).catch(error => {
      throw withLimitAdvice(error, config);
    });
  }
  while (trainer.step < last && !signal?.aborted) {
    const stop = Math.min(last, nextStop(config, trainer.step));
    log.start();
    yield* profile?.updates(stop, rate, signal) ?? trainer.run(stop, rate, signal);
  }
}

const rateOf =
  ({ config }: OpenRun) =>
  (step: number) =>
    learningRateAt(config, step);

function gpuBytesOf({ trainer }: OpenRun): number {
  const { live, pooled } = trainer.device.memory.figures();
  return live + pooled;
}

async function skippedOf({ trainer }: OpenRun): Promise<{ readonly skipped?: number }> {
  const { all } = await trainer.skipped();
  return all > 0 ? { skipped: all } : {};
}

/** Result of `work`; undefined if the signal stopped it, or came before. */
async function unlessStopped<T>({ signal }: SessionOptions, work: () => Promise<T>): Promise<T | undefined> {
  if (signal?.aborted) return undefined;
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    return undefined;
  }
}

/** Runs of earlier versions chose `best` by PSNR whatever they trained. Scores of two kinds cannot be compared. */
function noteSelection({ config, resumed }: OpenRun, { onLine }: SessionOptions): void {
  const { by, words } = selectionOf(variantOfConfig(config));
  if (resumed && resumed.best !== null && (resumed.bestBy ?? 'psnr') !== by)
    onLine?.(`note: so far best was chosen by PSNR; from now on it is chosen by ${words}`);
}

/** What to do after too many updates with NaN or infinity. */
async function adviceAfterEnd({ folder, trainer, config }: OpenRun, checkpoints: Checkpoints): Promise<string> {
  const earlier = await checkpoints.earlier();
  const from = earlier ? `from earlier weights, --init ${forShell(folder.checkpointPath(earlier))},` : 'from the start';
  const next = trainer.step < config.steps ? '--resume tries the next batches; if all fail, ' : '';
  return `${next}train ${from} with a lower --lr`;
}

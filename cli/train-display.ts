/** What `daybreak train` shows: progress, notes, and the result. */
import { count, forShell } from '../common/text.ts';
import { decimals } from '../eval/protocols.ts';
import { type TrainConfig, variantOfConfig } from '../train/config/config.ts';
import { setMeans } from '../train/report/report-content.ts';
import type { SessionOptions, SessionResult } from '../train/run/session.node.ts';
import { shortName } from '../train/variants.ts';
import { Interrupted } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { type DeviceChoice, openDevice } from './open-device.ts';
import { PhaseProgress, TrainingProgress } from './progress.ts';

/** One display at a time: of a phase such as reading pictures, or of the training. */
class TrainDisplay implements Disposable {
  #phase: { readonly name: string; readonly progress: PhaseProgress } | undefined;
  #training: TrainingProgress | undefined;
  /** Updates in total, known when training starts. */
  readonly #steps: () => number;

  constructor(steps: () => number) {
    this.#steps = steps;
  }

  readonly onPhase = (name: string, done: number, total: number): void => {
    this.#endTraining();
    if (this.#phase?.name !== name) {
      this.#endPhase();
      this.#phase = { name, progress: new PhaseProgress(name) };
    }
    this.#phase?.progress.update(done, total);
    if (done === total) this.#endPhase();
  };

  readonly onStep: NonNullable<SessionOptions['onStep']> = status => {
    this.#endPhase();
    this.#training ??= new TrainingProgress(this.#steps(), status.step - 1);
    this.#training.update(status);
  };

  readonly onLine = (text: string): void => {
    const progress = this.#phase?.progress ?? this.#training;
    if (progress) progress.line(text);
    else process.stderr.write(`${text}\n`);
  };

  #endPhase(): void {
    this.#phase?.progress[Symbol.dispose]();
    this.#phase = undefined;
  }

  #endTraining(): void {
    this.#training?.[Symbol.dispose]();
    this.#training = undefined;
  }

  [Symbol.dispose](): void {
    this.#endPhase();
    this.#endTraining();
  }
}

/**
 * Runs a session with a device, a display, and signals that save and stop it.
 * @param config called when training starts, and for the message after a signal.
 * @param advice the command that continues after a signal. Default: that of `config`'s run.
 * @throws Interrupted if a signal stopped the session before its end; whatever `work` throws.
 */
export async function withDisplay<R extends { readonly step: number; readonly finished?: boolean }>(
  config: () => TrainConfig,
  { stopAfter, ...choice }: DeviceChoice & Pick<SessionOptions, 'stopAfter'>,
  work: (options: Omit<SessionOptions, 'command'>) => Promise<R>,
  advice: () => string = () => resumeCommand(config()),
): Promise<R> {
  using device = await openDevice(choice);
  using display = new TrainDisplay(() => config().steps);
  const { onPhase, onStep, onLine } = display;
  return await interruptible('Saving a checkpoint …', async signal => {
    const result = await work({
      device,
      reopen: () => openDevice(choice),
      signal,
      ...(stopAfter !== undefined && { stopAfter }),
      onPhase,
      onStep,
      onLine,
    });
    if (signal.aborted && result.finished === false) {
      display[Symbol.dispose]();
      process.stderr.write(`saved after ${count(result.step)} updates; resume with: ${advice()}\n`);
      throw signal.reason instanceof Interrupted ? signal.reason : new Interrupted('SIGINT');
    }
    return result;
  });
}

const resumeCommand = (config: TrainConfig): string =>
  `npx daybreak train ${shortName(variantOfConfig(config))} --resume --out ${forShell(config.out)}`;

/** Prints the result of a session to stdout, as JSON or as lines. */
export function printResult(result: SessionResult, config: TrainConfig, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${resultLines(result, config).join('\n')}\n`);
}

function resultLines(result: SessionResult, config: TrainConfig): string[] {
  const { folder, model: file, step, finished, scores, waitedForData, skipped } = result;
  const lines = [
    finished
      ? `trained ${count(step)} updates`
      : `stopped after ${count(step)} of ${count(config.steps)} updates; resume with: ${resumeCommand(config)}`,
  ];
  if (skipped !== undefined) lines.push(`skipped ${count(skipped)} of them because of NaN or infinity`);
  lines.push(`the GPU waited ${waitedForData.toFixed(2)} s for data`);
  for (const { data, images } of scores) {
    const { model, initial, bicubic } = setMeans({ data, images });
    const before = initial ? `, initial SRResNet ${decimals(initial.psnr, 2)} dB` : '';
    lines.push(
      `${data}: ${decimals(model.psnr, 2)} dB${before}, bicubic ${decimals(bicubic.psnr, 2)} dB (mean PSNR, protocol matlab)`,
    );
    const beside = (key: 'texture' | 'vgg_distance') =>
      `${decimals(model[key]!, 3)}${initial ? ` (initial SRResNet ${decimals(initial[key]!, 3)})` : ''}`;
    if (model.texture !== undefined) lines.push(`  fine texture ${beside('texture')}; the original's is 1`);
    if (model.vgg_distance !== undefined) lines.push(`  distance of VGG features ${beside('vgg_distance')}`);
  }
  lines.push(`model: ${file}`, `report: ${folder}/report.html`);
  return lines;
}

/** How far something is that takes its time: a bar on a terminal, a plain line every so often elsewhere. To stderr. */

import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { count, duration, figure, mebibytes } from '../common/text.ts';

export interface ProgressOptions {
  /** Default: stderr. It is a terminal where its `isTTY` says so. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Seconds between two plain lines where there is no terminal. Default: 10. */
  readonly every?: number;
  /** Clock in milliseconds. Default: performance.now. */
  readonly now?: () => number;
}

/** A bar with a text behind it, or lines of that text. */
class Display implements Disposable {
  readonly now: () => number;
  readonly #stream: NodeJS.WritableStream;
  readonly #every: number;
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  #lineAt = Number.NEGATIVE_INFINITY;
  #unsaid: string | undefined;
  #ended = false;

  /** `keep`: the bar stays on the screen when it ends. */
  constructor(total: number, options: ProgressOptions, keep: boolean) {
    const stream = options.stream ?? process.stderr;
    this.#stream = stream;
    this.#every = (options.every ?? 10) * 1000;
    this.now = options.now ?? (() => performance.now());
    if (!stream.isTTY) return;
    this.#bars = new MultiBar(
      {
        stream,
        format: ' {bar} {percentage} %  {text}',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: !keep,
        // Signals are the command's business: it has something to save first.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.#bar = this.#bars.create(total, 0, { text: '' });
  }

  show(done: number, total: number, text: string): void {
    if (this.#bar) {
      this.#bar.setTotal(total);
      this.#bar.update(done, { text });
      return;
    }
    this.#unsaid = text;
    if (this.now() - this.#lineAt >= this.#every) this.#say();
  }

  #say(): void {
    if (this.#unsaid === undefined) return;
    this.#stream.write(`${this.#unsaid}\n`);
    this.#unsaid = undefined;
    this.#lineAt = this.now();
  }

  line(text: string): void {
    if (this.#bars && !this.#ended) this.#bars.log(`${text}\n`);
    else this.#stream.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#say();
    this.#bars?.update(); // Lines wait for the next redrawing.
    this.#bars?.stop();
  }
}

/** What is shown of a training. */
export interface TrainingStatus {
  /** Updates done. */
  readonly step: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
  /** GPU memory that the training holds. */
  readonly gpuBytes?: number;
  /** Of a discriminator's: its mean answers, shown beside the loss. */
  readonly terms?: { readonly dReal?: number; readonly dFake?: number };
}

/** "step 1,200/2,000  loss 0.0134  88.9 images/s  GPU 308 MiB  left 1 min 12 s". */
export class TrainingProgress implements Disposable {
  readonly #display: Display;
  readonly #total: number;
  /** When which step was reached, over the last minute: what the time left is estimated from. */
  readonly #reached: { at: number; step: number }[];

  /** `first`: updates done before, where a run is resumed. Shows nothing before the first `update`. */
  constructor(total: number, first = 0, options: ProgressOptions = {}) {
    this.#display = new Display(total, options, true);
    this.#total = total;
    this.#reached = [{ at: this.#display.now(), step: first }];
    if (first > 0) this.#display.show(first, total, `step ${count(first)}/${count(total)}`);
  }

  /** To be called as often as there is news. */
  update({ step, loss, imagesPerSecond, gpuBytes, terms: { dReal, dFake } = {} }: TrainingStatus): void {
    const left = this.#secondsLeft(step);
    const text = [
      `step ${count(step)}/${count(this.#total)}`,
      `loss ${figure(loss)}`,
      dReal === undefined || dFake === undefined ? '' : `D(real) ${dReal.toFixed(2)}  D(fake) ${dFake.toFixed(2)}`,
      `${figure(imagesPerSecond)} images/s`,
      gpuBytes === undefined ? '' : `GPU ${mebibytes(gpuBytes)}`,
      left === undefined ? '' : `left ${duration(Math.round(left))}`,
    ];
    this.#display.show(step, this.#total, text.filter(Boolean).join('  '));
  }

  #secondsLeft(step: number): number | undefined {
    const reached = this.#reached;
    const at = this.#display.now();
    reached.push({ at, step });
    while (reached.length > 2 && at - reached[1].at > 60_000) reached.shift();
    const done = step - reached[0].step;
    return done > 0 ? ((this.#total - step) * (at - reached[0].at)) / done / 1000 : undefined;
  }

  /** A line that stays: a file skipped, a checkpoint saved. */
  line(text: string): void {
    this.#display.line(text);
  }

  /** Shows how it stands for good, and lets go of the terminal. */
  [Symbol.dispose](): void {
    this.#display[Symbol.dispose]();
  }
}

/** "warming up kernels 12/63": a bar that is gone when the phase is over. */
export class PhaseProgress implements Disposable {
  readonly #display: Display;
  readonly #name: string;

  constructor(name: string, options: ProgressOptions = {}) {
    this.#display = new Display(1, options, false);
    this.#name = name;
  }

  /** `detail` says what is at hand. */
  update(done: number, total: number, detail = ''): void {
    this.#display.show(done, total, `${this.#name} ${count(done)}/${count(total)}${detail && `  ${detail}`}`);
  }

  /** A line that stays. */
  line(text: string): void {
    this.#display.line(text);
  }

  [Symbol.dispose](): void {
    this.#display[Symbol.dispose]();
  }
}

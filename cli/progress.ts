/** Progress of a long task on stderr: a bar on a terminal, a plain line every 10 seconds elsewhere. */

import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { count, duration, figure, mebibytes } from '../common/text.ts';

/** Where and how often to show progress. */
export interface ProgressOptions {
  /** Default: stderr. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Seconds between plain lines. Default: 10. */
  readonly every?: number;
  /** Clock in milliseconds. Default: performance.now. */
  readonly now?: () => number;
}

interface DisplayStyle {
  /** Leave the bar on the screen at the end. */
  readonly keepBar: boolean;
  /**
   * When to print plain lines: `regularly`, from the first update to the last; or in `pauses`, if no other line was
   * printed for a while.
   */
  readonly plainLines: 'regularly' | 'in pauses';
}

/** A bar with text, or plain lines of that text. Terminals that cannot move the cursor (TERM=dumb) get plain lines. */
class Display implements Disposable {
  protected readonly now: () => number;
  readonly #stream: NodeJS.WritableStream;
  readonly #style: DisplayStyle;
  readonly #every: number;
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  readonly #onExit = () => this.#bars?.stop();
  /** When the last plain line was printed. */
  #printedAt: number;
  /** The latest text that is not printed yet. */
  #pending: string | undefined;
  #ended = false;

  constructor(total: number, { stream = process.stderr, every = 10, now }: ProgressOptions, style: DisplayStyle) {
    this.#stream = stream;
    this.#style = style;
    this.#every = every * 1000;
    this.now = now ?? (() => performance.now());
    this.#printedAt = style.plainLines === 'regularly' ? Number.NEGATIVE_INFINITY : this.now();
    if (!stream.isTTY || process.env.TERM === 'dumb' || total === 0) return;
    this.#bars = new MultiBar(
      {
        stream,
        format: ' {bar} {percentage} %  {text}',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: !style.keepBar,
        // Commands handle signals themselves, since they have work to save.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.#bar = this.#bars.create(total, 0, { text: '' });
    // A second Ctrl-C ends the process at once; the cursor must come back nevertheless.
    process.once('exit', this.#onExit);
  }

  /** True if a bar is shown instead of plain lines. */
  protected get hasBar(): boolean {
    return this.#bar !== undefined;
  }

  /** Moves the bar, or prints the text when a plain line is due. Fractions of `done` are allowed. */
  protected show(done: number, total: number, text: string): void {
    if (this.#bar) {
      this.#bar.setTotal(total);
      this.#bar.update(done, { text });
      return;
    }
    this.#pending = text;
    if (this.now() - this.#printedAt >= this.#every) this.#printPending();
  }

  #printPending(): void {
    if (this.#pending === undefined) return;
    this.#stream.write(`${this.#pending}\n`);
    this.#pending = undefined;
    this.#printedAt = this.now();
  }

  /** Prints a line above the bar. */
  line(text: string): void {
    if (this.#style.plainLines === 'in pauses') this.#printedAt = this.now();
    if (this.#bars && !this.#ended) this.#bars.log(`${text}\n`);
    else this.#stream.write(`${text}\n`);
  }

  /** Shows the latest state, and releases the terminal. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#style.plainLines === 'regularly') this.#printPending();
    process.off('exit', this.#onExit);
    this.#bars?.update(); // Prints lines that are still buffered.
    this.#bars?.stop();
  }
}

/** Pictures or updates from which a speed can be told; less would be shown as thousands of hours. */
const LEAST_DONE = 1e-3;

/** Estimates the remaining time from the speed of the last minute. */
class Pace {
  readonly #now: () => number;
  readonly #reached: { readonly at: number; readonly done: number }[];

  constructor(now: () => number, done: number) {
    this.#now = now;
    this.#reached = [{ at: now(), done }];
  }

  /** "left 1 min 12 s" after `done` of `total`; empty before enough is done to tell. */
  remaining(done: number, total: number): string {
    const reached = this.#reached;
    const at = this.#now();
    reached.push({ at, done });
    while (reached.length > 2 && at - reached[1].at > 60_000) reached.shift();
    const [first] = reached;
    if (done - first.done < LEAST_DONE) return '';
    const seconds = ((total - done) * (at - first.at)) / (done - first.done) / 1000;
    return `left ${duration(Math.round(seconds))}`;
  }
}

const joined = (parts: readonly string[]) => parts.filter(Boolean).join('  ');

/** The state of a training. */
export interface TrainingStatus {
  /** Updates done. */
  readonly step: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
  /** GPU memory in use, in bytes. */
  readonly gpuBytes?: number;
  /** The discriminator's mean outputs for real and generated crops. */
  readonly terms?: { readonly dReal?: number; readonly dFake?: number };
}

/** Progress of a training: "step 1,200/2,000  loss 0.0134  88.9 images/s  GPU 308 MiB  left 1 min 12 s". */
export class TrainingProgress extends Display {
  readonly #total: number;
  readonly #pace: Pace;

  /** `first`: updates done before this process, if a run is resumed. Shows nothing before the first `update` otherwise. */
  constructor(total: number, first = 0, options: ProgressOptions = {}) {
    super(total, options, { keepBar: true, plainLines: 'regularly' });
    this.#total = total;
    this.#pace = new Pace(this.now, first);
    if (first > 0) this.show(first, total, `step ${count(first)}/${count(total)}`);
  }

  /** May be called after every update. */
  update({ step, loss, imagesPerSecond, gpuBytes, terms: { dReal, dFake } = {} }: TrainingStatus): void {
    const parts = [
      `step ${count(step)}/${count(this.#total)}`,
      `loss ${figure(loss)}`,
      dReal === undefined || dFake === undefined ? '' : `D(real) ${dReal.toFixed(2)}  D(fake) ${dFake.toFixed(2)}`,
      `${figure(imagesPerSecond)} images/s`,
      gpuBytes === undefined ? '' : `GPU ${mebibytes(gpuBytes)}`,
      this.#pace.remaining(step, this.#total),
    ];
    this.show(step, this.#total, joined(parts));
  }
}

/** Progress of a phase: "warming up kernels 12/63". Its bar is removed at the end. */
export class PhaseProgress extends Display {
  readonly #name: string;

  constructor(name: string, options: ProgressOptions = {}) {
    super(1, options, { keepBar: false, plainLines: 'regularly' });
    this.#name = name;
  }

  /** `detail` names the current part. */
  update(done: number, total: number, detail = ''): void {
    this.show(done, total, joined([`${this.#name} ${count(done)}/${count(total)}`, detail]));
  }
}

/** "43 %", rounded down. */
export const percentage = (done: number, total: number): string => `${Math.floor((100 * done) / total)} %`;

/** Progress of a list of pictures, whose results have lines of their own: "2/50  left 3 min  photo.png  tile 4/20". */
export class BatchProgress extends Display {
  readonly #total: number;
  readonly #pace: Pace;

  constructor(total: number, options: ProgressOptions = {}) {
    super(total, options, { keepBar: false, plainLines: 'in pauses' });
    this.#total = total;
    this.#pace = new Pace(this.now, 0);
  }

  /** After `done` pictures (fractions allowed); `text` names the current one. */
  update(done: number, text: string): void {
    const finished = `${count(Math.floor(done))}/${count(this.#total)}`;
    this.show(done, this.#total, joined([finished, this.#pace.remaining(done, this.#total), text]));
  }

  /** Prints a line that a bar makes superfluous. */
  lineWithoutBar(text: string): void {
    if (!this.hasBar) this.line(text);
  }
}

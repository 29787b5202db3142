/** How far a list of pictures is: a bar on a terminal, plain lines elsewhere. All of it goes to stderr. */

import { MultiBar, Presets, type SingleBar } from 'cli-progress';

/** Shows progress over `total` pictures until it is disposed of. */
export class BatchProgress implements Disposable {
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;

  constructor(total: number) {
    if (!process.stderr.isTTY || total === 0) return;
    const format = ' {bar} {percentage} %  left {eta_formatted}  {text}';
    this.#bars = new MultiBar(
      { format, barsize: 24, hideCursor: true, clearOnComplete: true, stream: process.stderr },
      Presets.shades_classic,
    );
    this.#bar = this.#bars.create(total, 0, { text: '' });
  }

  /** Moves the bar: `done` pictures, fractions allowed; `text` says what is going on. Nothing without a terminal. */
  move(done: number, text: string): void {
    this.#bar?.update(done, { text });
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.#bars) this.#bars.log(`${text}\n`);
    else process.stderr.write(`${text}\n`);
  }

  /** A line that is of interest only where there is no bar to tell. */
  plain(text: string): void {
    if (!this.#bars) process.stderr.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    // Lines wait for the next redrawing.
    this.#bars?.update();
    this.#bars?.stop();
  }
}

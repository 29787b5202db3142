/** What a run measured as an event file, which TensorBoard draws: `tensorboard --logdir RUN`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RunFolderError } from './errors.ts';
import { encodeRecord, recordAt, scalarEvent, versionEvent } from './event-records.ts';
import { isEvaluation, type MetricsEntry } from './metrics.ts';
import { codeOf, replaceFile } from './run-write.node.ts';

/** Its name in a run folder. TensorBoard looks for "tfevents". */
export const EVENT_FILE = 'events.out.tfevents.daybreak';

/** Tags and values of an entry: train/loss, train/vgg54 …, eval/SET/psnr …. */
export function scalarsOf(entry: MetricsEntry): Record<string, number> {
  if (isEvaluation(entry)) {
    const { data, ...scores } = entry.evaluation;
    return Object.fromEntries(Object.entries(scores).map(([name, value]) => [`eval/${data}/${name}`, value]));
  }
  const { loss, lr, imagesPerSecond, terms } = entry;
  const training = Object.entries({ loss, ...terms }).map(([name, value]) => [`train/${name}`, value]);
  return Object.fromEntries([...training, ['run/lr', lr], ['run/imagesPerSecond', imagesPerSecond]]);
}

/** Appends to the event file of one run. */
export class EventFile {
  readonly #path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the file for writing after `step` updates: events of later updates, and what is not whole, are cut off; events
   * that stay keep their bytes.
   * @throws RunFolderError where it cannot be read or written.
   */
  static async open(path: string, step: number): Promise<EventFile> {
    let bytes: Uint8Array = new Uint8Array();
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        throw new RunFolderError(path, `cannot be read (${codeOf(error)})`, { cause: error });
    }
    let end = 0;
    for (let record = recordAt(bytes, 0); record && record.step <= step; record = recordAt(bytes, end))
      end = record.end;
    await replaceFile(path, end > 0 ? bytes.subarray(0, end) : encodeRecord(versionEvent(Date.now() / 1000)));
    return new EventFile(path, openSync(path, 'a'));
  }

  /**
   * Adds an entry of the log.
   * @throws RunFolderError where it cannot be written, for instance on a full disk.
   */
  append(entry: MetricsEntry): void {
    const record = encodeRecord(scalarEvent(Date.now() / 1000, entry.step, scalarsOf(entry)));
    try {
      for (let at = 0; at < record.length; ) at += writeSync(this.#file, record, at);
    } catch (error) {
      throw new RunFolderError(this.#path, `cannot be written (${codeOf(error)})`, { cause: error });
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

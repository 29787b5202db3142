/** What a run measured as an event file, which TensorBoard draws: `tensorboard --logdir RUN`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf, reasonOf } from '../../common/files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import { encodeRecord, recordAt, scalarEvent, versionEvent } from './event-records.ts';
import { isEvaluation, type MetricsEntry } from './metrics.ts';
import { replaceFile } from './replace-file.node.ts';

/** Its name in a run folder. TensorBoard looks for "tfevents". */
export const EVENT_FILE = 'events.out.tfevents.daybreak';

/**
 * Tags and values of an entry: train/loss, train/vgg54 …, eval/SET/psnr …. What is not finite is left out: it would end a
 * curve there.
 */
export function scalarsOf(entry: MetricsEntry): Record<string, number> {
  if (isEvaluation(entry)) {
    const { data, ...scores } = entry.evaluation;
    return finite(Object.entries(scores).map(([name, value]) => [`eval/${data}/${name}`, value]));
  }
  const { loss, lr, imagesPerSecond, terms, skipped } = entry;
  return finite([
    ...Object.entries({ loss, ...terms }).map(([name, value]): Scalar => [`train/${name}`, value]),
    ['run/lr', lr],
    ['run/imagesPerSecond', imagesPerSecond],
    ...(skipped === undefined ? [] : [['run/skipped', skipped] as const]),
  ]);
}

type Scalar = readonly [tag: string, value: number];

/** Scalars are written as float32. */
const finite = (scalars: readonly Scalar[]) =>
  Object.fromEntries(scalars.filter(([, value]) => Number.isFinite(Math.fround(value))));

/** Appends to the event file of one run. */
export class EventFile {
  readonly #path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the file to write after `entries`, those of the log: it is cut where it ends or differs from them by a step, or
   * is not whole, and has those that are missing written anew. Events that stay keep their bytes.
   * @throws RunFolderError where it cannot be read or written.
   */
  static async open(path: string, entries: readonly MetricsEntry[]): Promise<EventFile> {
    let bytes: Uint8Array = new Uint8Array();
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        throw new RunFolderError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    let end = recordAt(bytes, 0)?.end ?? 0; // The version's.
    let kept = 0;
    for (let record = end > 0 ? recordAt(bytes, end) : undefined; record; record = recordAt(bytes, end)) {
      if (record.step !== entries[kept]?.step) break;
      end = record.end;
      kept++;
    }
    await replaceFile(path, end > 0 ? bytes.subarray(0, end) : encodeRecord(versionEvent(Date.now() / 1000)));
    const file = new EventFile(path, openSync(path, 'a'));
    for (const entry of entries.slice(kept)) file.append(entry);
    return file;
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
      throw new RunFolderError(this.#path, `cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

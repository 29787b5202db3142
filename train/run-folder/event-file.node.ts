/** Writes the metrics of a run as an event file for TensorBoard: `tensorboard --logdir RUN`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import { encodeRecord, recordAt, scalarEvent, versionEvent } from './event-records.ts';
import { isEvaluation, type MetricsEntry } from './metrics.ts';
import { replaceFile } from './replace-file.node.ts';

/** File name in a run folder. TensorBoard looks for "tfevents". */
export const EVENT_FILE = 'events.out.tfevents.daybreak';

/**
 * Tags and values of an entry: train/loss, train/vgg54 …, eval/SET/psnr …. Values that are not finite are left out, as
 * they would end the curve.
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

/** Keeps finite scalars; they are written as float32. */
const finite = (scalars: readonly Scalar[]) =>
  Object.fromEntries(scalars.filter(([, value]) => Number.isFinite(Math.fround(value))));

/** Appends to the event file of a run. */
export class EventFile {
  readonly #path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the file and makes it match `entries`, those of the log: it is cut at the first record that is damaged or whose
   * step differs, and missing entries are appended. The records before stay unchanged.
   * @throws RunFolderError if it cannot be read or written.
   */
  static async open(path: string, entries: readonly MetricsEntry[]): Promise<EventFile> {
    let bytes: Uint8Array = new Uint8Array();
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        throw new RunFolderError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    let end = recordAt(bytes, 0)?.end ?? 0; // The version record.
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
   * Appends an entry of the log.
   * @throws RunFolderError if it cannot be written, for instance on a full disk.
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

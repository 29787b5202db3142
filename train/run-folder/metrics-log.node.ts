/** `metrics.jsonl`: what a run measured, one JSON object a line, in the order of the updates. */

import { closeSync, existsSync, fsync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { reasonOf } from '../../common/files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import { isEvaluation, type MetricsEntry, MetricsEntrySchema, type StepEntry } from './metrics.ts';
import { replaceFile } from './replace-file.node.ts';

/**
 * All entries of a log; none where there is no such file. A last line that a dying process left unfinished is left out.
 * @throws RunFolderError naming file and line where an entry is damaged.
 */
export async function readMetrics(path: string): Promise<MetricsEntry[]> {
  return (await readLines(path)).map(line => line.entry ?? damaged(path, line));
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Undefined where it is damaged. */
  readonly entry: MetricsEntry | undefined;
  readonly cause?: unknown;
}

function damaged(path: string, { number, cause }: Line): never {
  throw new RunFolderError(path, `line ${number} is damaged; without that line the run can go on`, { cause });
}

async function readLines(path: string): Promise<Line[]> {
  if (!existsSync(path)) return [];
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RunFolderError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const lines = text.split('\n').slice(0, -1); // Whatever follows the last newline is empty or unfinished.
  return lines.map((text, index) => {
    const number = index + 1;
    try {
      return { number, text, entry: MetricsEntrySchema.parse(JSON.parse(text)) };
    } catch (cause) {
      return { number, text, entry: undefined, cause };
    }
  });
}

/**
 * The lines of a run as of update `step`. A machine that lost its power may leave damaged lines behind those: they are
 * beyond `step`, as are those after them.
 */
function keptLines(path: string, lines: readonly Line[], step: number): Line[] {
  const isKept = ({ entry }: Line) => entry !== undefined && entry.step <= step;
  const end = lines.findLastIndex(isKept) + 1;
  const bad = lines.slice(0, end).find(({ entry }) => !entry);
  if (bad) damaged(path, bad);
  // A checkpoint is saved after the line of its update: without it, a damaged one may be just that.
  const next = lines[end];
  if (next && !next.entry && (lines[end - 1]?.entry?.step ?? 0) < step) damaged(path, next);
  return lines.slice(0, end).filter(isKept);
}

const unfinishedOf = (entry: MetricsEntry | undefined): StepEntry | undefined =>
  entry && !isEvaluation(entry) && entry.unfinished ? entry : undefined;

/** Appends to the log of one run. */
export class MetricsLog {
  readonly path: string;
  /** The line that was taken back on opening: where the run was stopped between two lines. */
  readonly unfinished: StepEntry | undefined;
  readonly #file: number;
  #failed = false;

  private constructor(path: string, file: number, unfinished: StepEntry | undefined) {
    this.path = path;
    this.#file = file;
    this.unfinished = unfinished;
  }

  /**
   * Opens the log for writing after `step` updates: entries of later updates, half a line, and the entry of a run that was
   * stopped between two are cut off, so that a resumed run's log is as if it had never stopped. Lines that stay keep
   * their bytes.
   * @throws RunFolderError where the file is damaged or cannot be written.
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const lines = keptLines(path, await readLines(path), step);
    const finished = lines.filter(({ entry }) => !unfinishedOf(entry));
    await replaceFile(path, finished.map(({ text }) => `${text}\n`).join(''));
    const unfinished = lines.map(({ entry }) => unfinishedOf(entry)).find(entry => entry?.step === step);
    return new MetricsLog(path, openSync(path, 'a'), unfinished);
  }

  /**
   * Adds an entry; the line is in the file when this returns.
   * @throws RunFolderError where it cannot be written, for instance on a full disk; from then on always.
   */
  append(entry: MetricsEntry): void {
    try {
      // A line may be there by half.
      if (this.#failed) throw new Error('it could not be written before');
      const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#failed = true;
      throw new RunFolderError(this.path, `cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * Waits until the disk has all entries.
   * @throws RunFolderError where it has not.
   */
  async sync(): Promise<void> {
    try {
      if (this.#failed) throw new Error('an entry is missing');
      await promisify(fsync)(this.#file);
    } catch (error) {
      this.#failed = true;
      throw new RunFolderError(this.path, `cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads and writes `metrics.jsonl`: the metrics of a run, one JSON object per line, in order of the updates. */

import { closeSync, existsSync, fsync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { reasonOf } from '../../files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import { isEvaluation, type MetricsEntry, MetricsEntrySchema, type StepEntry } from './metrics.ts';
import { replaceFile } from './replace-file.node.ts';

/**
 * Reads all entries of a log; none if there is no file. An incomplete last line, of a process that died, is ignored.
 * @throws RunFolderError naming the file and the line if an entry is damaged.
 */
export async function readMetrics(path: string): Promise<MetricsEntry[]> {
  return (await readLines(path)).map(line => line.entry ?? damaged(path, line));
}

interface Line {
  /** Starts at 1. */
  readonly number: number;
  readonly text: string;
  /** Undefined if it is damaged. */
  readonly entry: MetricsEntry | undefined;
  readonly cause?: unknown;
}

function damaged(path: string, { number, cause }: Line): never {
  throw new RunFolderError(path, `line ${number} is damaged; remove that line to continue the run`, { cause });
}

async function readLines(path: string): Promise<Line[]> {
  if (!existsSync(path)) return [];
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RunFolderError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const lines = text.split('\n').slice(0, -1); // Text after the last newline is empty or incomplete.
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
 * The lines up to update `step`. After a power failure the file may end with damaged lines; these and all lines after them
 * belong to later updates.
 */
function keptLines(path: string, lines: readonly Line[], step: number): Line[] {
  const isKept = ({ entry }: Line) => entry !== undefined && entry.step <= step;
  const end = lines.findLastIndex(isKept) + 1;
  const bad = lines.slice(0, end).find(({ entry }) => !entry);
  if (bad) damaged(path, bad);
  // A checkpoint is saved after the line of its update. If that line is missing, a damaged line may be it.
  const next = lines[end];
  if (next && !next.entry && (lines[end - 1]?.entry?.step ?? 0) < step) damaged(path, next);
  return lines.slice(0, end).filter(isKept);
}

const unfinishedOf = (entry: MetricsEntry | undefined): StepEntry | undefined =>
  entry && !isEvaluation(entry) && entry.unfinished ? entry : undefined;

/** Appends to the log of a run. */
export class MetricsLog {
  readonly path: string;
  /** The partial entry that was removed on opening, if the run was stopped between two entries. */
  readonly unfinished: StepEntry | undefined;
  readonly #file: number;
  #failed = false;

  private constructor(path: string, file: number, unfinished: StepEntry | undefined) {
    this.path = path;
    this.#file = file;
    this.unfinished = unfinished;
  }

  /**
   * Opens the log for writing after `step` updates. Removes entries of later updates, an incomplete line, and the partial
   * entry of a stopped run, so that the log of a resumed run is the same as without the stop. The lines before stay
   * unchanged.
   * @throws RunFolderError if the file is damaged or cannot be written.
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const lines = keptLines(path, await readLines(path), step);
    const finished = lines.filter(({ entry }) => !unfinishedOf(entry));
    await replaceFile(path, finished.map(({ text }) => `${text}\n`).join(''));
    const unfinished = lines.map(({ entry }) => unfinishedOf(entry)).find(entry => entry?.step === step);
    return new MetricsLog(path, openSync(path, 'a'), unfinished);
  }

  /**
   * Appends an entry; the line is in the file when this returns.
   * @throws RunFolderError if it cannot be written, for instance on a full disk; every later call then fails too.
   */
  append(entry: MetricsEntry): void {
    try {
      // The file may end with half a line.
      if (this.#failed) throw new Error('an earlier write failed');
      const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#failed = true;
      throw new RunFolderError(this.path, `cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * Waits until all entries are on disk.
   * @throws RunFolderError if that fails.
   */
  async sync(): Promise<void> {
    try {
      if (this.#failed) throw new Error('an earlier write failed');
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

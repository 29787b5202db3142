/** `metrics.jsonl`: what a run measured, one JSON object a line, in the order of the updates. */

import { closeSync, existsSync, fsync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { RunFolderError } from './errors.ts';
import { type MetricsEntry, MetricsEntrySchema } from './metrics.ts';
import { codeOf, replaceFile } from './run-write.node.ts';

/**
 * All entries of a log; none where there is no such file. A last line that a dying process left unfinished is left out.
 * @throws RunFolderError naming file and line where an entry is damaged.
 */
export async function readMetrics(path: string): Promise<MetricsEntry[]> {
  return (await readLines(path)).map(line => line.entry);
}

async function readLines(path: string): Promise<{ text: string; entry: MetricsEntry }[]> {
  if (!existsSync(path)) return [];
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RunFolderError(path, `cannot be read (${codeOf(error)})`, { cause: error });
  }
  const lines = text.split('\n').slice(0, -1); // Whatever follows the last newline is empty or unfinished.
  return lines.map((line, index) => {
    try {
      return { text: line, entry: MetricsEntrySchema.parse(JSON.parse(line)) };
    } catch (error) {
      throw new RunFolderError(path, `line ${index + 1} is damaged`, { cause: error });
    }
  });
}

/** Appends to the log of one run. */
export class MetricsLog {
  readonly path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Opens the log for writing after `step` updates: entries of later updates, and an unfinished line, are cut off, so
   * that a resumed run's log is as if it had never stopped. Lines that stay keep their bytes.
   * @throws RunFolderError where the file is damaged or cannot be written.
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const lines = await readLines(path);
    const kept = lines.filter(line => line.entry.step <= step).map(line => `${line.text}\n`);
    await replaceFile(path, kept.join(''));
    return new MetricsLog(path, openSync(path, 'a'));
  }

  /**
   * Adds an entry; the line is in the file when this returns.
   * @throws RunFolderError where it cannot be written, for instance on a full disk.
   */
  append(entry: MetricsEntry): void {
    try {
      const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw new RunFolderError(this.path, `cannot be written (${codeOf(error)})`, { cause: error });
    }
  }

  /** Waits until the disk has all entries. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** `metrics.jsonl`: what a run measured, one JSON object a line, in the order of the updates. */

import { closeSync, existsSync, fsync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Scores } from '../eval/protocols.ts';
import { RunFolderError } from './errors.ts';
import { codeOf, replaceFile } from './run-write.node.ts';

/** The training as of `step` updates. */
export interface StepEntry {
  readonly step: number;
  /** Mean squared error on [-1, 1]: the mean over the updates since the entry before, or the last one's. */
  readonly loss: number;
  readonly lr: number;
  /** High-resolution crops a second since the entry before. */
  readonly imagesPerSecond: number;
  /** Seconds of training since update 0, pauses between a stop and a resume left out. */
  readonly seconds: number;
  /** Of these, how long the GPU had nothing to do because its next crops were not ready. */
  readonly waitedForDataSeconds?: number;
}

/** The network scored after `step` updates: means over the pictures of `data`, an entry of the option `eval`. */
export interface EvaluationEntry {
  readonly step: number;
  readonly evaluation: Scores & { readonly data: string };
}

export type MetricsEntry = StepEntry | EvaluationEntry;

export function isEvaluation(entry: MetricsEntry): entry is EvaluationEntry {
  return 'evaluation' in entry;
}

/** JSON has no NaN and no infinities: they are written as null, and read as NaN. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);
const step = z.number().int().min(0);
const Entry: z.ZodType<MetricsEntry> = z.union([
  z.object({
    step,
    evaluation: z.object({ data: z.string(), psnr: number, ssim: number, psnr_paper: number, ssim_paper: number }),
  }),
  z.object({
    step,
    loss: number,
    lr: number,
    imagesPerSecond: number,
    seconds: number,
    waitedForDataSeconds: number.exactOptional(),
  }),
]);

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
      return { text: line, entry: Entry.parse(JSON.parse(line)) };
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

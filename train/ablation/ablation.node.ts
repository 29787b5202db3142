/** Trains, scores and times the networks of an ablation. What is finished is kept, and a second call goes on. */

import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as z from 'zod';
import { median } from '../../common/median.ts';
import { jsonText } from '../../common/text.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { network } from '../../eval/methods.ts';
import { codeOf, FileError, reasonOf } from '../../files/file-error.ts';
import { writeText } from '../../files/output.node.ts';
import { createPicture } from '../../image/picture.ts';
import { Random } from '../../image/random.ts';
import { decodeModel } from '../../models/model-file.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { resumeConfig } from '../config/resume.ts';
import { setMeans } from '../report/report-content.ts';
import { resumeSession, type SessionOptions, type SessionResult, startSession } from '../run/session.node.ts';
import { holdsRun, readRunConfig } from '../run-folder/folder.node.ts';
import type { TimedRow } from './figure.ts';
import { type AblationCase, type AblationRow, identityOf } from './plan.ts';

const Rows = z.object({
  rows: z.array(
    z.object({
      blocks: z.number(),
      longSkip: z.enum(['add', 'none']),
      parameters: z.number(),
      psnr: z.number(),
      ssim: z.number(),
      bicubic: z.number(),
      model: z.string(),
      identity: z.string(),
    }),
  ),
});

const fileOf = (folder: string) => join(folder, 'ablation.json');

/**
 * The finished rows in a folder; none if it has no file of them or a damaged one.
 * @throws FileError if the file exists and cannot be read.
 */
export async function readRows(folder: string): Promise<readonly AblationRow[]> {
  const path = fileOf(folder);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new FileError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  if (text === undefined) return [];
  try {
    return Rows.parse(JSON.parse(text)).rows;
  } catch {
    return [];
  }
}

/** Writes the rows, with their times if they have any. @throws FileError */
export const writeRows = async (folder: string, rows: readonly (AblationRow & { readonly seconds?: number })[]) =>
  await writeText(fileOf(folder), jsonText({ rows }));

/**
 * Trains and scores a case, or resumes its run.
 * @returns The row, or the result of a session that was stopped before its end.
 * @throws whatever training throws.
 */
export async function trainCase(
  one: AblationCase,
  folder: string,
  options: SessionOptions,
): Promise<{ readonly result: SessionResult; readonly row?: AblationRow }> {
  const { config, blocks, longSkip } = one;
  const result = holdsRun(config.out)
    ? await resumeSession(resumeConfig(await readRunConfig(config.out), config), options)
    : await startSession(config, options);
  if (!result.finished || result.scores.length === 0) return { result };
  const { model, bicubic } = setMeans(result.scores[0]);
  setCurrentDevice(options.device);
  const parameters = decodeModel(await readFile(result.model), result.model);
  const row = {
    ...{ blocks, longSkip, parameters: parameters.parameterCount, psnr: model.psnr, ssim: model.ssim },
    ...{ bicubic: bicubic.psnr, model: relative(folder, result.model), identity: identityOf(one) },
  };
  parameters.dispose();
  return { result, row };
}

/**
 * Adds the time of upscaling a picture of `size`×`size` LR pixels, in seconds: the median of `runs` runs. The networks take
 * turns, so that other work on the machine affects all of them alike.
 * @throws the signal's reason; WeightsError for a damaged model file.
 */
export async function timeRows(
  rows: readonly AblationRow[],
  folder: string,
  {
    size,
    runs,
    device,
    signal,
    onPhase,
  }: Pick<SessionOptions, 'device' | 'signal' | 'onPhase'> & {
    readonly size: number;
    readonly runs: number;
  },
): Promise<readonly TimedRow[]> {
  setCurrentDevice(device);
  const random = new Random(1);
  const samples = Uint8Array.from({ length: size * size * 3 }, () => random.integer(256));
  const picture = createPicture(size, size, 3, samples);
  const nets: Disposable[] = [];
  try {
    const methods = [];
    for (const { model } of rows) {
      const path = join(folder, model);
      const net = decodeModel(await readFile(path), path);
      nets.push(net);
      const upscaler = new NetworkUpscaler(net, model);
      nets.push(upscaler);
      methods.push(network(upscaler));
    }
    const times = rows.map((): number[] => []);
    // The first round compiles kernels.
    for (let round = 0; round <= runs; round++) {
      for (const [i, method] of methods.entries()) {
        signal?.throwIfAborted();
        const began = performance.now();
        await method(picture, signal ? { signal } : {});
        if (round > 0) times[i].push((performance.now() - began) / 1000);
      }
      onPhase?.('timing', round + 1, runs + 1);
    }
    return rows.map((row, i) => ({ ...row, seconds: median(times[i]) }));
  } finally {
    for (const net of nets.reverse()) net[Symbol.dispose]();
  }
}

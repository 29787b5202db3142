import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RunFolderError } from '../../train/errors.ts';
import { isEvaluation, type MetricsEntry } from '../../train/run-folder/metrics.ts';
import { MetricsLog, readMetrics } from '../../train/run-folder/metrics-log.node.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybreak-metrics-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const at = (step: number): MetricsEntry => ({
  step,
  loss: 1 / (step + 1),
  lr: 1e-4,
  imagesPerSecond: 12.5,
  seconds: step,
});
const scored = (step: number): MetricsEntry => ({
  step,
  evaluation: { data: 'Set5', psnr: 28.4, ssim: 0.81, psnr_paper: 28.43, ssim_paper: 0.82 },
});

async function logOf(...entries: MetricsEntry[]): Promise<void> {
  const log = await MetricsLog.open(path, 0);
  for (const entry of entries) log.append(entry);
  await log.sync();
  log.close();
}

test('reads back appended entries, one JSON object per line', async () => {
  const entries = [at(10), { ...at(20), waitedForDataSeconds: 0.25 }, scored(20), at(30)];
  await logOf(...entries);
  expect(await readMetrics(path)).toEqual(entries);
  const lines = (await readFile(path, 'utf8')).split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map(line => JSON.parse(line))).toEqual(entries);
  expect(entries.map(isEvaluation)).toEqual([false, false, true, false]);
});

test('a line is in the file as soon as append returns', async () => {
  const log = await MetricsLog.open(path, 0);
  log.append(at(1));
  expect(await readMetrics(path)).toEqual([at(1)]);
  log.close();
});

test('a missing file has no entries', async () => {
  expect(await readMetrics(path)).toEqual([]);
});

test('non-finite numbers are written as null and read as NaN', async () => {
  await logOf({ ...at(1), loss: Number.NaN }, { ...at(2), loss: Number.POSITIVE_INFINITY });
  expect(await readFile(path, 'utf8')).toContain('"loss":null');
  expect((await readMetrics(path)).map(entry => (isEvaluation(entry) ? 0 : entry.loss))).toEqual([
    Number.NaN,
    Number.NaN,
  ]);
});

describe('resuming after step N', () => {
  test('cuts later entries and continues as if never stopped', async () => {
    const all = [at(10), at(20), scored(20), at(30), at(40), scored(40)];
    await logOf(...all);
    const unbroken = await readFile(path, 'utf8');
    const log = await MetricsLog.open(path, 20);
    expect(await readMetrics(path)).toEqual(all.slice(0, 3));
    for (const entry of all.slice(3)) log.append(entry);
    log.close();
    expect(await readFile(path, 'utf8')).toBe(unbroken);
  });

  test('does not change the lines before, also if written by other programs', async () => {
    const line = '{ "lr": 1.0e-4, "step": 5, "loss": 0.50, "imagesPerSecond": 1, "seconds": 2, "note": "mine" }\n';
    await writeFile(path, `${line}${JSON.stringify(at(9))}\n`);
    (await MetricsLog.open(path, 5)).close();
    expect(await readFile(path, 'utf8')).toBe(line);
  });

  test('after step 0, keeps only entries of step 0', async () => {
    await logOf(scored(0), at(1));
    (await MetricsLog.open(path, 0)).close();
    expect(await readMetrics(path)).toEqual([scored(0)]);
  });

  test('removes the partial entry of a stopped run, and returns it', async () => {
    const unfinished = { ...at(7), unfinished: { updates: 2, sums: { loss: 0.25 } } };
    await logOf(at(5), unfinished);
    expect(await readMetrics(path)).toEqual([at(5), unfinished]);
    const log = await MetricsLog.open(path, 7);
    expect(log.unfinished).toEqual(unfinished);
    log.append(at(10));
    log.close();
    expect(await readMetrics(path)).toEqual([at(5), at(10)]);
    // Of another update than the checkpoint's it is of no use.
    await logOf(at(5), unfinished);
    const earlier = await MetricsLog.open(path, 5);
    expect(earlier.unfinished).toBeUndefined();
    earlier.close();
    expect(await readMetrics(path)).toEqual([at(5)]);
  });

  test('drops an incomplete last line', async () => {
    await logOf(at(1), at(2));
    await appendFile(path, '{"step":3,"lo');
    expect(await readMetrics(path)).toEqual([at(1), at(2)]);
    const log = await MetricsLog.open(path, 3);
    log.append(at(3));
    log.close();
    expect(await readMetrics(path)).toEqual([at(1), at(2), at(3)]);
  });
});

test('a damaged line is an error that names the file and the line', async () => {
  await writeFile(path, `${JSON.stringify(at(1))}\n{"step":2,"loss":"low"}\n${JSON.stringify(at(3))}\n`);
  await expect(readMetrics(path)).rejects.toThrow(`${path}: line 2 is damaged`);
  await expect(MetricsLog.open(path, 9)).rejects.toThrow(RunFolderError);
  await expect(MetricsLog.open(path, 3)).rejects.toThrow('line 2 is damaged; remove that line to continue the run');
});

test('damaged lines after the checkpoint are cut, as after a power failure', async () => {
  const nothing = '\0'.repeat(50);
  const text = `${JSON.stringify(at(2))}\n${nothing}\n${JSON.stringify(at(4))}\n`;
  for (const [step, kept] of [
    [2, [at(2)]],
    [0, []],
  ] as const) {
    await writeFile(path, text);
    (await MetricsLog.open(path, step)).close();
    expect(await readMetrics(path)).toEqual(kept);
  }
  // It may be that of update 3.
  await writeFile(path, text);
  await expect(MetricsLog.open(path, 3)).rejects.toThrow(`${path}: line 2 is damaged`);
});

/** What `--degrade` does to LR pictures, and that it does the same again. */
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { decode, encodeFile } from '../../image/codec.node.ts';
import { writePicture } from '../../image/files.node.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { parseConfig } from '../../train/config/config.ts';
import { blurred, degradationOf, noisy, parseDegradations } from '../../train/degradation.ts';
import { loadTrainingPictures } from '../../train/pictures/pictures.node.ts';
import type { TrainingSources } from '../../train/pictures/sources.node.ts';
import { startSession } from '../../train/run/session.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, sessionConfig, sessionOptions } from './small-training.ts';

const device = sharedDevice();
const withSharp = await import('sharp').then(
  () => true,
  () => false,
);

const sources = (degrade: string[], more: Partial<TrainingSources> = {}): TrainingSources => ({
  data: ['synthetic'],
  crop: 16,
  seed: 4,
  syntheticCount: 4,
  syntheticSize: 64,
  degrade,
  ...more,
});

const lowOf = async (degrade: string[], more: Partial<TrainingSources> = {}, threads = 0) =>
  (await loadTrainingPictures(sources(degrade, more), { threads })).pictures.map(({ lr }) => lr);

/** Root of the mean squared difference, in levels. */
const distance = (a: Picture, b: Picture) =>
  Math.sqrt(a.data.reduce((sum, x, i) => sum + (x - b.data[i]) ** 2, 0) / a.data.length);

describe('the option', () => {
  test('takes ranges and single numbers, each kind once', () => {
    expect(parseDegradations(['blur=0.2-3', 'noise=5', 'jpeg=30-95'])).toEqual({
      blur: { low: 0.2, high: 3 },
      noise: { low: 5, high: 5 },
      jpeg: { low: 30, high: 95 },
    });
    const config = parseConfig({ data: 'x', out: 'y', degrade: 'blur=1-2' });
    expect(config.degrade).toEqual(['blur=1-2']);
  });

  test.each([
    ['blur'],
    ['blur=3-1'],
    ['blur=-1'],
    ['noise=101'],
    ['jpeg=0-50'],
    ['jpeg=50.5'],
    ['fog=1'],
    ['blur=1-2-3'],
  ])('rejects %s in one line', text => {
    expect(() => parseConfig({ data: 'x', out: 'y', degrade: [text] })).toThrow(
      /^--degrade: expected blur=LOW-HIGH \(σ, 0 to 20\), noise=LOW-HIGH .* each once, got .*$/,
    );
  });

  test('rejects a kind that is given twice', () => {
    expect(() => parseConfig({ data: 'x', out: 'y', degrade: ['blur=1', 'blur=2'] })).toThrow('each once');
  });
});

test('values cover the whole range and depend only on seed and picture', () => {
  const ranges = parseDegradations(['blur=1-3', 'noise=2-4', 'jpeg=30-32'])!;
  const all = Array.from({ length: 400 }, (_, i) => degradationOf(ranges, 7, i));
  for (const key of ['blur', 'noise'] as const) {
    const [low, high] = key === 'blur' ? [1, 3] : [2, 4];
    const values = all.map(one => one[key]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThan(high);
    expect(values.reduce((sum, x) => sum + x, 0) / 400).toBeCloseTo((low + high) / 2, 0);
  }
  for (const quality of [30, 31, 32]) expect(all.filter(({ jpeg }) => jpeg === quality).length).toBeGreaterThan(90);
  expect(degradationOf(ranges, 7, 3)).toEqual(all[3]);
  expect(degradationOf(ranges, 8, 3).blur).not.toBe(all[3].blur);
  // One kind more changes nothing of the others.
  expect(degradationOf(parseDegradations(['noise=2-4'])!, 7, 3)).toEqual({ ...all[3], blur: 0, jpeg: undefined });
});

test('blur matches a float64 Gaussian except for rounding; edges repeat; 0 is no blur', () => {
  const [sigma, width, height] = [1.3, 17, 11];
  const picture = syntheticPicture(1, 0, 32);
  const part = createPicture(width, height, 3, picture.data.slice(0, width * height * 3));
  const got = blurred(part, sigma);
  const clamp = (i: number, n: number) => Math.min(Math.max(i, 0), n - 1);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        let [sum, weights] = [0, 0];
        for (let v = -6; v <= 6; v++)
          for (let u = -6; u <= 6; u++) {
            const weight = Math.exp(-(u * u + v * v) / (2 * sigma ** 2));
            sum += weight * part.data[(clamp(y + v, height) * width + clamp(x + u, width)) * 3 + c];
            weights += weight;
          }
        expect(Math.abs(got.data[(y * width + x) * 3 + c] - sum / weights)).toBeLessThan(0.501);
      }
  expect(blurred(part, 0)).toEqual(part);
  const flat = createPicture(9, 5, 3, new Uint8Array(135).fill(77));
  expect(blurred(flat, 4)).toEqual(flat);
});

test('noise is normal with the right mean and deviation; samples are independent', () => {
  const grey = createPicture(200, 100, 3, new Uint8Array(60_000).fill(128));
  const { data } = noisy(grey, { noise: 10, seed: 3, stream: 9 });
  const off = Array.from(data, x => (x - 128) / 10);
  const mean = (f: (x: number, i: number) => number) => off.reduce((sum, x, i) => sum + f(x, i), 0) / off.length;
  expect(mean(x => x)).toBeCloseTo(0, 1);
  expect(mean(x => x * x)).toBeCloseTo(1, 1);
  expect(mean(x => x ** 4)).toBeGreaterThan(2.85);
  expect(mean(x => x ** 4)).toBeLessThan(3.15);
  for (const lag of [1, 2, 3]) expect(Math.abs(mean((x, i) => x * (off[i + lag] ?? 0)))).toBeLessThan(0.02);
  const ends = noisy(createPicture(20, 20, 3, new Uint8Array(1200).fill(255)), { noise: 50, seed: 1, stream: 1 });
  expect(ends.data.filter(x => x === 255).length).toBeGreaterThan(400);
});

describe('LR pictures', () => {
  test('are blurred before bicubic and get noise after it, each with its own values', async () => {
    const ranges = parseDegradations(['blur=1-2', 'noise=3-9'])!;
    for (const [i, low] of (await lowOf(['blur=1-2', 'noise=3-9'])).entries()) {
      const degradation = degradationOf(ranges, 4, i);
      expect(low).toEqual(noisy(shrink(blurred(syntheticPicture(4, i, 64), degradation.blur)), degradation));
    }
  });

  test('are the same with threads and streaming; originals are unchanged', async () => {
    const degrade = ['blur=1-2', 'noise=3-9', ...(withSharp ? ['jpeg=40-90'] : [])];
    const plain = await loadTrainingPictures(sources([]));
    const whole = await loadTrainingPictures(sources(degrade));
    expect(whole.pictures.map(({ hr }) => hr)).toEqual(plain.pictures.map(({ hr }) => hr));
    expect(await lowOf(degrade, {}, 2)).toEqual(whole.pictures.map(({ lr }) => lr));
    using streamed = await loadTrainingPictures(sources(degrade), { budget: 1, folder: temporaryFolder() });
    expect(streamed.pictures.map(({ lr }) => lr)).toEqual(whole.pictures.map(({ lr }) => lr));
    expect(await lowOf(degrade, { seed: 5 })).not.toEqual(whole.pictures.map(({ lr }) => lr));
  });

  test.skipIf(!withSharp)('are compressed as JPEG of the drawn quality (skipped without sharp)', async () => {
    const original = shrink(syntheticPicture(4, 0, 64));
    const [low] = await lowOf(['jpeg=25']);
    expect(low).toEqual(await decode(await encodeFile(original, 'jpeg', { quality: 25 }), 'x'));
    const [better] = await lowOf(['jpeg=90']);
    expect(distance(better, original)).toBeLessThan(distance(low, original));
    expect(distance(better, original)).toBeGreaterThan(0);
  });

  test('of a set are not degraded, which a note says', async () => {
    const folder = temporaryFolder();
    const hr = syntheticPicture(1, 0, 32);
    await writePicture(join(folder, 'HR/a.png'), hr);
    await writePicture(join(folder, 'LRx4/a.png'), shrink(hr));
    const notes: string[] = [];
    const { pictures } = await loadTrainingPictures(sources(['noise=20'], { data: [folder] }), {
      onNote: note => notes.push(note),
    });
    expect(pictures[0].lr).toEqual(shrink(hr));
    expect(notes).toEqual([`${folder}: trains on its own LR from LRx4; --degrade does not change them`]);
  });

  test('without sharp, jpeg is an error that says what to install', async () => {
    vi.doMock('sharp', () => {
      throw new Error("Cannot find package 'sharp'");
    });
    try {
      await expect(lowOf(['jpeg=50'])).rejects.toThrow(
        '--degrade jpeg: needs the optional package sharp: npm install sharp',
      );
    } finally {
      vi.doUnmock('sharp');
    }
  });
});

test('a stopped and resumed run on degraded pictures gives the bytes of an unbroken one', async () => {
  const folder = temporaryFolder();
  const config = (name: string, degrade: string[]) =>
    sessionConfig(join(folder, name), { degrade, steps: 4, saveEvery: 2, syntheticCount: 3, syntheticSize: 32 });
  const { pictures: _, ...options } = sessionOptions(device());
  const degrade = ['blur=0.5-2', 'noise=2-9', ...(withSharp ? ['jpeg=40-90'] : [])];
  const unbroken = await startSession(config('unbroken', degrade), options);
  await startSession(config('run', degrade), { ...options, stopAfter: 1 });
  const run = join(folder, 'run');
  await resumeRun(run, {}, options);
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken.folder));
  const plain = await startSession(config('plain', []), options);
  expect(checkpointsOf(plain.folder)).not.toEqual(checkpointsOf(run));
  await expect(resumeRun(run, { degrade: ['noise=1'] }, options)).rejects.toThrow('--degrade');
});

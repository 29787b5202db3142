/** Read back by an independent reader: event-reader.ts. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventFile, scalarsOf } from '../../train/run-folder/event-file.node.ts';
import { crc32c, maskedCrc } from '../../train/run-folder/event-records.ts';
import type { MetricsEntry } from '../../train/run-folder/metrics.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { masked, readEvents as read, remainder } from './event-reader.ts';

const at = (step: number, more: Partial<MetricsEntry> = {}): MetricsEntry => ({
  step,
  loss: 0.5,
  terms: { vgg54: 0.25, adversarial: 0.75, dReal: 0.5 },
  lr: 2 ** -13,
  imagesPerSecond: 8,
  seconds: step,
  ...more,
});
const scored = (step: number): MetricsEntry => ({
  step,
  evaluation: { data: 'Set5 é', psnr: 28.5, ssim: 0.75, psnr_paper: 28.25, ssim_paper: 0.5 },
});
const TRAINED = {
  'train/loss': 0.5,
  'train/vgg54': 0.25,
  'train/adversarial': 0.75,
  'train/dReal': 0.5,
  'run/lr': 2 ** -13,
  'run/imagesPerSecond': 8,
};

/** Opens the file of a run whose log has `before`, and adds `entries`. */
async function fileOf(path: string, before: readonly MetricsEntry[], ...entries: MetricsEntry[]): Promise<void> {
  const file = await EventFile.open(path, before);
  for (const entry of entries) file.append(entry);
  file.close();
}

describe('checksums', () => {
  test.each([
    // RFC 3720, appendix B.4, and the check value of CRC-32C.
    ['zeros', new Uint8Array(32), 0x8a9136aa],
    ['ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['ascending', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['descending', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(), 0],
  ])('of %s', (_, bytes, crc) => {
    expect([crc32c(bytes), remainder(bytes)]).toEqual([crc, crc]);
  });

  test('are masked as in TFRecords', () => {
    // How event files of TensorFlow begin: the version event's length, 24, and its checksum.
    const begin = Buffer.from('1800000000000000a37f4b22', 'hex');
    expect(maskedCrc(begin.subarray(0, 8))).toBe(begin.readUInt32LE(8));
    expect(masked(remainder(begin.subarray(0, 8)))).toBe(begin.readUInt32LE(8));
  });
});

test('has the version, then each entry with its step, time and scalars', async () => {
  const path = join(temporaryFolder(), 'events');
  const before = Date.now() / 1000;
  await fileOf(path, [], at(1), at(300), scored(300), at(2 ** 40));
  const events = read(path);
  expect(events.map(({ step, version, scalars }) => ({ step, version, scalars }))).toEqual([
    { step: 0, version: 'brain.Event:2', scalars: {} },
    { step: 1, version: '', scalars: TRAINED },
    { step: 300, version: '', scalars: TRAINED },
    {
      step: 300,
      version: '',
      scalars: {
        'eval/Set5 é/psnr': 28.5,
        'eval/Set5 é/ssim': 0.75,
        'eval/Set5 é/psnr_paper': 28.25,
        'eval/Set5 é/ssim_paper': 0.5,
      },
    },
    { step: 2 ** 40, version: '', scalars: TRAINED },
  ]);
  for (const { time } of events) expect(time >= before && time <= Date.now() / 1000).toBe(true);
  expect(Object.keys(scalarsOf(at(1)))).toEqual(Object.keys(TRAINED));
});

test('leaves out values that are not finite in float32', async () => {
  const path = join(temporaryFolder(), 'events');
  const psnr = Number.POSITIVE_INFINITY;
  await fileOf(
    path,
    [],
    { ...at(1), loss: Number.NaN, terms: { mse: 0.5, tv: Number.NEGATIVE_INFINITY }, lr: 1e39, skipped: 3 },
    { step: 2, evaluation: { data: 'Set5 é', psnr, ssim: 0.75, psnr_paper: 28.25, ssim_paper: 0.5 } },
  );
  const [, trained, evaluated] = read(path).map(({ scalars }) => scalars);
  expect(trained).toEqual({
    'train/mse': 0.5,
    'run/imagesPerSecond': TRAINED['run/imagesPerSecond'],
    'run/skipped': 3,
  });
  expect(Object.keys(evaluated)).toEqual(['ssim', 'psnr_paper', 'ssim_paper'].map(name => `eval/Set5 é/${name}`));
});

describe('opening with a log', () => {
  test('keeps the records before and cuts the rest', async () => {
    const path = join(temporaryFolder(), 'events');
    const log = [at(1), at(200), scored(200)];
    await fileOf(path, [], ...log);
    const bytes = readFileSync(path);
    await fileOf(path, log, at(300));
    await fileOf(path, log, at(250));
    expect(read(path).map(({ step }) => step)).toEqual([0, 1, 200, 200, 250]);
    expect(readFileSync(path).subarray(0, bytes.length).equals(bytes)).toBe(true);
    await fileOf(path, []);
    expect(read(path).map(({ version }) => version)).toEqual(['brain.Event:2']);
  });

  test.each([
    ['an unfinished record', (bytes: Buffer) => bytes.subarray(0, bytes.length - 3)],
    ['a damaged one', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -9), Buffer.alloc(9, 7)])],
  ])('cuts %s', async (_, spoil) => {
    const path = join(temporaryFolder(), 'events');
    await fileOf(path, [], at(1), at(2));
    writeFileSync(path, spoil(readFileSync(path)));
    await fileOf(path, [at(1)], at(3));
    expect(read(path).map(({ step }) => step)).toEqual([0, 1, 3]);
  });

  test('appends missing entries of the log', async () => {
    const path = join(temporaryFolder(), 'events');
    // Processes that died between the log and the events: the last event is missing, or one in the middle.
    await fileOf(path, [], at(1), at(2));
    const bytes = readFileSync(path);
    await fileOf(path, [at(1), at(2), scored(2)], at(3));
    expect(readFileSync(path).subarray(0, bytes.length).equals(bytes)).toBe(true);
    await fileOf(path, [at(1), at(2), scored(2), at(3), at(4)]);
    const events = read(path);
    expect(events.map(({ step }) => step)).toEqual([0, 1, 2, 2, 3, 4]);
    expect(Object.keys(events[3].scalars)).toContain('eval/Set5 é/psnr');
    const middle = join(temporaryFolder(), 'events');
    await fileOf(middle, [], at(1), at(3));
    await fileOf(middle, [at(1), at(2), at(3)]);
    expect(read(middle).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
  });

  test('starts over if the file is missing or not an event file', async () => {
    const path = join(temporaryFolder(), 'events');
    appendFileSync(path, 'something else entirely, longer than a record’s head');
    await fileOf(path, [at(5)], at(6));
    expect(read(path).map(({ step }) => step)).toEqual([0, 5, 6]);
  });
});

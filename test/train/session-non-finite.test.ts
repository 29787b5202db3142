/** Runs in which updates are not finite: what they log, and that they end and resume like any other. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { decodeModel } from '../../models/model-file.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { NonFiniteError } from '../../train/errors.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { EVENT_FILE } from '../../train/run-folder/event-file.node.ts';
import { differences } from '../cli/run-difference.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { readEvents } from './event-reader.ts';
import { resumeRun } from './resume-run.ts';
import { sessionConfig, sessionOptions } from './small-training.ts';

const device = sharedDevice();
const optionsOf = (more: Partial<SessionOptions> = {}) => sessionOptions(device(), more);

/** Update 6 is the first at a rate of 1e30: those behind it find out, 7 to 12, and the run ends. */
const RUINOUS = { lr: 1e-3, lrSchedule: 'step', lrStepEvery: 5, lrStepFactor: 1e33, logEvery: 4, maxNonFinite: 6 };

async function thrown(session: Promise<unknown>): Promise<NonFiniteError> {
  const error = await session.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(NonFiniteError);
  return error as NonFiniteError;
}

/** The log without what depends on the clock. */
const logOf = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const { imagesPerSecond: _, seconds: __, waitedForDataSeconds: ___, ...entry } = JSON.parse(line);
      return entry;
    });

describe('a run with non-finite updates', () => {
  test('keeps the last good state in a finite checkpoint, and reports each skipped update', async () => {
    const folder = temporaryFolder();
    const [good, run] = [join(folder, 'good'), join(folder, 'run')];
    await startSession(sessionConfig(good, RUINOUS), optionsOf({ stopAfter: 6 }));
    const lines: string[] = [];
    const error = await thrown(
      startSession(sessionConfig(run, RUINOUS), optionsOf({ onLine: line => lines.push(line) })),
    );
    expect(error).toMatchObject({ step: 12, inRow: 6 });
    expect(error.first).toMatch(/ generator \w+/);
    expect(
      lines.map(line => /^skipped update (\d+), NaN or infinity in .*\((\d+) in a row/.exec(line)?.slice(1)),
    ).toEqual([1, 2, 3, 4, 6].map(inRow => [String(6 + inRow), String(inRow)]));

    // Weights, statistics and moments are those of update 6.
    for (const file of ['model.safetensors', 'optimizer.safetensors']) {
      const [ours, kept] = [run, good].map(one => readSafetensors(readFileSync(join(one, 'checkpoints/last', file))));
      expect(ours.tensors).toEqual(kept.tensors);
      for (const { data } of ours.tensors.values()) expect(data.every(Number.isFinite)).toBe(true);
    }
    using _ = decodeModel(readFileSync(join(run, 'checkpoints/last/model.safetensors')));
    expect(JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8'))).toEqual({
      step: 12,
      best: null,
      skipped: { all: 6, inRow: 6 },
    });
  });

  test('logs means without skipped updates, and how many were skipped', async () => {
    const run = join(temporaryFolder(), 'run');
    await thrown(startSession(sessionConfig(run, RUINOUS), optionsOf()));
    const rows = logOf(run);
    expect(rows.map(({ step, skipped }) => [step, skipped])).toEqual([
      [1, undefined],
      [4, undefined],
      [8, 2],
      [12, 4],
    ]);
    expect(rows.slice(0, 3).every(({ loss, terms }) => Number.isFinite(loss) && Number.isFinite(terms.mse))).toBe(true);
    expect(rows[3]).toMatchObject({ loss: null });
    const events = readEvents(join(run, EVENT_FILE)).filter(({ version }) => version === '');
    expect(events.map(({ step, scalars }) => [step, scalars['run/skipped'], 'train/loss' in scalars])).toEqual([
      [1, undefined, true],
      [4, undefined, true],
      [8, 2, true],
      [12, 4, false],
    ]);
    for (const { scalars } of events) expect(Object.values(scalars).every(Number.isFinite)).toBe(true);
  });

  test.each([6, 7, 8, 9, 11])('resumed after a stop at update %i ends like the unbroken one', async stopAfter => {
    const folder = temporaryFolder();
    const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
    await writePicture(join(folder, 'held-out/0.png'), syntheticPicture(9, 0, 24));
    const busy = { ...RUINOUS, eval: join(folder, 'held-out'), evalEvery: 3, sampleEvery: 4, saveEvery: 4, keep: 2 };
    const end = await thrown(startSession(sessionConfig(unbroken, busy), optionsOf()));
    const stopped = await startSession(sessionConfig(run, busy), optionsOf({ stopAfter }));
    expect(stopped).toMatchObject({
      step: stopAfter,
      finished: false,
      ...(stopAfter > 6 && { skipped: stopAfter - 6 }),
    });
    expect((await thrown(resumeRun(run, {}, optionsOf()))).message.replaceAll(run, unbroken)).toBe(end.message);
    // The stop has left a comparison, where there was something to compare.
    expect(differences(run, unbroken).filter(name => name !== 'comparison.png' && name !== 'report.html')).toEqual([]);
  });

  test('resumed after the limit, may skip as many again, or as many as given', async () => {
    const run = join(temporaryFolder(), 'run');
    await thrown(startSession(sessionConfig(run, RUINOUS), optionsOf()));
    const weights = () => readSafetensors(readFileSync(join(run, 'checkpoints/last/model.safetensors'))).tensors;
    const kept = weights();
    expect(await thrown(resumeRun(run, {}, optionsOf()))).toMatchObject({ step: 18, inRow: 6 });
    expect(await thrown(resumeRun(run, { maxNonFinite: 1 }, optionsOf()))).toMatchObject({ step: 19, inRow: 1 });
    expect(weights()).toEqual(kept);
    expect(logOf(run).map(({ step, skipped }) => [step, skipped])).toEqual([
      [1, undefined],
      [4, undefined],
      [8, 2],
      [12, 4],
      [16, 4],
      [19, 3],
    ]);
  });

  test('is saved before the search for the cause, which a signal ends', async () => {
    const run = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const saved: unknown[] = [];
    const onPhase = (name: string) => {
      if (!name.startsWith('finding')) return;
      saved.push(JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8')));
      controller.abort(new Error('enough'));
    };
    const options = optionsOf({ onPhase, signal: controller.signal });
    const { first } = await thrown(startSession(sessionConfig(run, RUINOUS), options));
    expect(first).toBe('unknown, the search was interrupted');
    expect(saved).toEqual([{ step: 12, best: null, skipped: { all: 6, inRow: 6 } }]);
  });

  test('that loses its device during the search may skip as many again', async () => {
    const run = join(temporaryFolder(), 'run');
    const opened: Device[] = [];
    const open = async () => {
      opened.push(await Device.create({ debug: true }));
      return opened.at(-1)!;
    };
    let lost = false;
    const lines: string[] = [];
    const onPhase = (name: string) => {
      if (!name.startsWith('finding') || lost) return;
      lost = true;
      opened[0].gpu.destroy();
    };
    const first = await open();
    const options = sessionOptions(first, { onPhase, reopen: open, onLine: line => lines.push(line) });
    expect(await thrown(startSession(sessionConfig(run, RUINOUS), options))).toMatchObject({ step: 18, inRow: 6 });
    expect(lines).toContainEqual(expect.stringMatching(/lost.*resumed after update 12$/));
    first.dispose();
    setCurrentDevice(device());
  });

  test('gives advice, and keeps the checkpoints that it needs', async () => {
    const run = join(temporaryFolder(), 'run');
    const { message } = await thrown(
      startSession(sessionConfig(run, { ...RUINOUS, saveEvery: 1, keep: 3 }), optionsOf()),
    );
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['last', 'step-4', 'step-5', 'step-6']);
    // Update 6 is the one that ruined the weights.
    const earlier = join(run, 'checkpoints/step-5');
    const advice = `. --resume tries the next batches; if all fail, train from earlier weights, --init ${earlier}, with a lower --lr`;
    expect(message.endsWith(advice)).toBe(true);
    // Nor does resuming put the ruined ones in their place.
    const again = await thrown(resumeRun(run, { keep: 1 }, optionsOf()));
    expect(again.message.endsWith(advice)).toBe(true);
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['last', 'step-4', 'step-5', 'step-6']);
    const other = join(temporaryFolder(), 'run');
    const without = await thrown(startSession(sessionConfig(other, { ...RUINOUS, steps: 12 }), optionsOf()));
    // There is no next batch.
    expect(without.message).toMatch(/[^,] largest input [\d.e]+\. train from the start with a lower --lr$/);
  });
});

test('weights that give no picture are reported instead of shown, and the run continues', async () => {
  const folder = temporaryFolder();
  const [run, held] = [join(folder, 'run'), join(folder, 'held-out')];
  await writePicture(join(held, '0.png'), syntheticPicture(9, 0, 24));
  const lines: string[] = [];
  const due = { eval: held, sampleEvery: 4, evalEvery: 7, steps: 9, maxNonFinite: 100 };
  const result = await startSession(
    sessionConfig(run, { ...RUINOUS, ...due }),
    optionsOf({ onLine: line => lines.push(line) }),
  );
  expect(result).toMatchObject({ step: 9, finished: true, skipped: 3, scores: [] });
  const broken = 'SRResNet: the result contains NaN or infinity: did the training of this model diverge?';
  expect(lines.filter(line => !line.startsWith('skipped update'))).toEqual([
    `no scores after update 7: ${broken}`,
    `no sample after update 8: ${broken}`,
    `no scores after update 9: ${broken}`,
    `no comparison after update 9: ${broken}`,
  ]);
  const report = readFileSync(join(run, 'report.html'), 'utf8');
  expect(report).toContain('3 of 9 updates were skipped');
  // What it was before.
  expect(report).toContain('<h3>Development</h3>');
  expect(readdirSync(join(run, 'samples')).sort()).toEqual(['step-0000004-0.part.png', 'step-0000004-0.png']);
});

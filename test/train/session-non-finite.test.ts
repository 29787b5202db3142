/** Runs in which updates are not finite: what they log, and that they end and resume like any other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeModel } from '../../models/model-file.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { NonFiniteError } from '../../train/errors.ts';
import { EVENT_FILE } from '../../train/run/event-file.node.ts';
import { resumeSession, type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { readEvents } from './event-reader.ts';
import { checkpointsOf, sessionConfig, sessionOptions } from './small-training.ts';

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

describe('a run that breaks', () => {
  test('keeps the last good state, in a checkpoint that loads and is finite, and tells of each skipped update', async () => {
    const folder = temporaryFolder();
    const [good, run] = [join(folder, 'good'), join(folder, 'run')];
    // Saved first; then the report finds that such a network shows nothing.
    const stopped = startSession(sessionConfig(good, RUINOUS), optionsOf({ stopAfter: 6 }));
    await expect(stopped).rejects.toThrow('SRResNet: the result is not finite');
    const lines: string[] = [];
    const error = await thrown(
      startSession(sessionConfig(run, RUINOUS), optionsOf({ onLine: line => lines.push(line) })),
    );
    expect(error).toMatchObject({ step: 12, inRow: 6 });
    expect(error.first).toMatch(/ generator \w+/);
    expect(lines.map(line => /^update (\d+) skipped, not finite: .*\((\d+) in a row/.exec(line)?.slice(1))).toEqual(
      [1, 2, 3, 4, 5, 6].map(inRow => [String(6 + inRow), String(inRow)]),
    );

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

  test('logs means over the updates that counted, and how many did not', async () => {
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
    const end = await thrown(startSession(sessionConfig(unbroken, RUINOUS), optionsOf()));
    // The report of a stopped run shows pictures, and these weights make none.
    const stopped = startSession(sessionConfig(run, RUINOUS), optionsOf({ stopAfter }));
    await expect(stopped).rejects.toThrow('SRResNet: the result is not finite');
    expect((await thrown(resumeSession(run, {}, optionsOf()))).message).toBe(end.message);
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    expect(logOf(run)).toEqual(logOf(unbroken));
  });

  test('does not go on as if nothing had been: resumed, it has as many tries again, or as it is told', async () => {
    const run = join(temporaryFolder(), 'run');
    await thrown(startSession(sessionConfig(run, RUINOUS), optionsOf()));
    const weights = () => readSafetensors(readFileSync(join(run, 'checkpoints/last/model.safetensors'))).tensors;
    const kept = weights();
    expect(await thrown(resumeSession(run, {}, optionsOf()))).toMatchObject({ step: 18, inRow: 6 });
    expect(await thrown(resumeSession(run, { maxNonFinite: 1 }, optionsOf()))).toMatchObject({ step: 19, inRow: 1 });
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
});

/** Sessions whose goal is behind them, or whose update is too large: one line that says what helps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LimitError } from '../../engine/basics/errors.ts';
import { parseConfig } from '../../train/config/config.ts';
import { resumeConfig } from '../../train/config/resume.ts';
import { ConfigError, UpdateSizeError } from '../../train/errors.ts';
import { dryRun } from '../../train/run/dry-run.node.ts';
import { withLimitAdvice } from '../../train/run/limit-advice.ts';
import { startSession } from '../../train/run/session.node.ts';
import { readRunConfig } from '../../train/run-folder/folder.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, sessionConfig, sessionOptions } from './small-training.ts';

describe('fewer updates than the run has made', () => {
  const device = sharedDevice();

  test('are an error, also in a dry run, and the run does not change', async () => {
    const run = join(temporaryFolder(), 'run');
    await startSession(sessionConfig(run, { steps: 9 }), sessionOptions(device(), { stopAfter: 6 }));
    const before = [checkpointsOf(run), readFileSync(join(run, 'config.json'), 'utf8')];
    const resume = (changes: Record<string, unknown>, stopAfter?: number) =>
      resumeRun(run, changes, sessionOptions(device(), stopAfter === undefined ? {} : { stopAfter }));
    await expect(resume({ steps: 5 })).rejects.toThrow(ConfigError);
    await expect(resume({ steps: 5 })).rejects.toThrow(
      /^--steps: expected at least 6, the updates that this run has made, got 5; to start another run from an earlier/,
    );
    await expect(resume({}, 3)).rejects.toThrow(
      /^--stop-after: expected at least 6, the updates that this run has made, got 3/,
    );
    const fewer = resumeConfig(await readRunConfig(run), { steps: 5, out: run });
    await expect(dryRun(fewer, { ...sessionOptions(device()), resume: true })).rejects.toThrow(
      /^--steps: expected at least 6/,
    );
    expect([checkpointsOf(run), readFileSync(join(run, 'config.json'), 'utf8')]).toEqual(before);
    // As many as were made end the run there.
    expect(await resume({ steps: 6 })).toMatchObject({ step: 6, finished: true });
  });
});

describe('an update that exceeds a limit of the adapter', () => {
  const device = sharedDevice({ traits: { maxBindingBytes: 170_000 } });

  test.each([
    [8, '--batch 4 --accumulate 2 (the same crops in an update), a smaller --crop, or a smaller network'],
    [7, 'a smaller --batch, a smaller --crop, or a smaller network'],
  ])('with batch %i: run and dry run report it, with advice', async (batch, helps) => {
    const run = join(temporaryFolder(), 'run');
    const config = parseConfig({ ...sessionConfig(run), batch });
    const wanted = new RegExp(
      `^an update of ${batch} crops of 16x16 at a time is too large for this adapter: .*: needs maxStorageBufferBindingSize ` +
        `of \\d+, the adapter allows 170000; try ${helps.replace(/[()]/g, '\\$&')}$`,
    );
    const planned = dryRun(config, sessionOptions(device()));
    await expect(planned).rejects.toThrow(UpdateSizeError);
    await expect(planned).rejects.toThrow(wanted);
    await expect(startSession(config, sessionOptions(device()))).rejects.toThrow(wanted);
  });

  test('works with that advice', async () => {
    const config = sessionConfig(join(temporaryFolder(), 'run'), { batch: 4, accumulate: 2, steps: 2 });
    expect(await dryRun(config, sessionOptions(device()))).toMatchObject({ step: 0 });
  });

  test('with a single crop, no smaller batch is advised; other errors do not change', () => {
    const config = sessionConfig('run', { batch: 1 });
    const advised = withLimitAdvice(new LimitError('conv', 'maxBufferSize', 9, 8), config);
    expect(String(advised)).toMatch(/needs maxBufferSize of 9, the adapter allows 8; try a smaller --crop, or/);
    const other = new Error('else');
    expect(withLimitAdvice(other, config)).toBe(other);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writePicture } from '../../image/files.node.ts';
import { encodePng } from '../../image/index.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { CheckpointError, ConfigError } from '../../train/errors.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { isEvaluation, type StepEntry } from '../../train/run-folder/metrics.ts';
import { readMetrics } from '../../train/run-folder/metrics-log.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, RUN_CONTENT, sessionConfig, sessionOptions } from './small-training.ts';

const device = sharedDevice();

/** A folder with two small pictures to score on. */
async function evaluationSet(under = temporaryFolder()): Promise<string> {
  const folder = join(under, 'held-out');
  for (const i of [0, 1]) await writePicture(join(folder, `${i}.png`), syntheticPicture(9, i, 24));
  return folder;
}

const optionsOf = (more: Partial<SessionOptions> = {}) => sessionOptions(device(), more);

/** Aborts when update `step` is reported. */
function stopAt(step: number): Pick<SessionOptions, 'signal' | 'onStep'> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onStep: status => {
      if (status.step >= step) controller.abort(new Error('enough'));
    },
  };
}

const metricsOf = (run: string) => readMetrics(join(run, 'metrics.jsonl'));
const evaluationsOf = async (run: string) => (await metricsOf(run)).filter(isEvaluation);
const lossesOf = async (run: string) =>
  (await metricsOf(run))
    .filter((entry): entry is StepEntry => !isEvaluation(entry))
    .map(({ step, loss }) => [step, loss]);

describe('a run with an evaluation set', () => {
  const EVERY = { evalEvery: 6, saveEvery: 6, sampleEvery: 10, keep: 2, logEvery: 4 };
  let set: string;
  /** What all others are compared with. */
  let unbroken: string;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daybreak-'));
    set = await evaluationSet(folder);
    unbroken = join(folder, 'unbroken');
    await startSession(sessionConfig(unbroken, { ...EVERY, eval: set }), optionsOf());
    return () => rmSync(folder, { recursive: true });
  });

  test('writes all its files', async () => {
    const run = join(temporaryFolder(), 'run');
    const held = await evaluationSet();
    const lines: string[] = [];
    const phases = new Set<string>();
    const result = await startSession(
      sessionConfig(run, { ...EVERY, eval: held }),
      optionsOf({ onLine: line => lines.push(line), onPhase: name => phases.add(name) }),
    );
    expect(result).toMatchObject({ folder: run, step: 20, finished: true });
    expect(result.scores.map(({ data, images }) => [data, images.map(({ name }) => name)])).toEqual([
      ['held-out', ['0', '1']],
    ]);
    const [{ images }] = result.scores;
    for (const { model, bicubic } of images) {
      expect(bicubic.psnr).toBeGreaterThan(model.psnr);
      expect(Number.isFinite(model.ssim + model.psnr_paper + bicubic.ssim_paper)).toBe(true);
    }
    // Two step-N are kept, and the best by the first set.
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['best', 'last', 'step-12', 'step-18']);
    expect(readdirSync(run).sort()).toEqual(RUN_CONTENT);
    expect(readdirSync(join(run, 'samples'))).toEqual([
      'step-0000010-0.part.png',
      'step-0000010-0.png',
      'step-0000020-0.part.png',
      'step-0000020-0.png',
    ]);
    const evaluations = await evaluationsOf(run);
    expect(evaluations.map(({ step, evaluation }) => [step, evaluation.data])).toEqual(
      [6, 12, 18, 20].map(step => [step, 'held-out']),
    );
    const mean = images.reduce((sum, { model }) => sum + model.psnr, 0) / images.length;
    expect(evaluations.at(-1)!.evaluation.psnr).toBeCloseTo(mean, 10);
    // best is the first of the highest, in its own counters as in those of last.
    const highest = Math.max(...evaluations.map(({ evaluation }) => evaluation.psnr));
    const stateOf = (name: string) => JSON.parse(readFileSync(join(run, 'checkpoints', name, 'state.json'), 'utf8'));
    const bestStep = evaluations.find(({ evaluation }) => evaluation.psnr === highest)!.step;
    expect(stateOf('best')).toEqual({ step: bestStep, best: highest });
    expect(stateOf('last')).toEqual({ step: 20, best: highest });
    // The first update, every fourth, those before a pause; each loss the mean since the entry before.
    expect((await lossesOf(run)).map(([step]) => step)).toEqual([1, 4, 6, 8, 10, 12, 16, 18, 20]);
    expect(
      lines.filter(line => /^step 6: held-out [\d.]+ dB, SSIM [\d.]+ \(protocol matlab\)$/.test(line)),
    ).toHaveLength(1);
    expect([...phases]).toEqual([
      'reading ' + held,
      'warming up kernels',
      'scoring held-out',
      'scoring bicubic on held-out',
    ]);
  });

  const moments: [string, number][] = [
    ['in the middle', 8],
    ['with the last update before an evaluation and a checkpoint', 12],
    ['with the last of all', 20],
  ];
  if (process.env.DAYBREAK_LONG) moments.push(['with the last update but two before them', 10], ['at once', 2]);
  test.each(moments)('stopped %s (%i) and resumed, has the same checkpoints as without the stop', async (_, step) => {
    const run = join(temporaryFolder(), 'run');
    const stopped = await startSession(sessionConfig(run, { ...EVERY, eval: set }), optionsOf(stopAt(step)));
    expect(stopped.finished).toBe(false);
    expect(stopped.step).toBeGreaterThanOrEqual(step);
    expect(stopped.step).toBeLessThanOrEqual(step + 2);
    const resumed = await resumeRun(run, {}, optionsOf());
    expect(resumed).toMatchObject({ step: 20, finished: true });
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    expect(await evaluationsOf(run)).toEqual(await evaluationsOf(unbroken));
    expect(await lossesOf(run)).toEqual(await lossesOf(unbroken));
    expect(readdirSync(join(run, 'samples'))).toEqual(readdirSync(join(unbroken, 'samples')));
  });

  test.each([
    ['on its way', 'scoring held-out', 6],
    ['at its end', 'scoring held-out', 20],
    ['of bicubic, at its end', 'scoring bicubic on held-out', 20],
  ])('stopped while scoring %s: saves first, and gives the same bytes when resumed', async (_, phase, at) => {
    const run = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    let [step, pictures] = [0, 0];
    const stopped = await startSession(
      sessionConfig(run, { ...EVERY, eval: set }),
      optionsOf({
        signal: controller.signal,
        onStep: status => {
          step = status.step;
        },
        onPhase: (name, done) => {
          if (name !== phase || step < at) return;
          if (controller.signal.aborted) pictures++;
          if (done === 1) controller.abort(new Error('enough'));
        },
      }),
    );
    expect(stopped).toMatchObject({ finished: false, step: at, scores: [] });
    // Of two pictures the second was not scored.
    expect(pictures).toBe(0);
    expect(readdirSync(join(run, 'checkpoints'))).toContain('last');
    expect(await resumeRun(run, {}, optionsOf())).toMatchObject({ finished: true });
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    expect(await evaluationsOf(run)).toEqual(await evaluationsOf(unbroken));
  });

  test('does not change when resumed after its end', async () => {
    const run = join(temporaryFolder(), 'run');
    await startSession(sessionConfig(run, { ...EVERY, eval: await evaluationSet() }), optionsOf());
    const before = { checkpoints: checkpointsOf(run), metrics: await metricsOf(run) };
    const again = await resumeRun(run, {}, optionsOf());
    expect(again).toMatchObject({ step: 20, finished: true });
    expect(again.scores).toHaveLength(1);
    expect({ checkpoints: checkpointsOf(run), metrics: await metricsOf(run) }).toEqual(before);
  });
});

describe('a run without an evaluation set', () => {
  test('stopped and resumed twice gives the same bytes as unbroken', async () => {
    const folder = temporaryFolder();
    const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
    await startSession(sessionConfig(unbroken), optionsOf());
    const steps: number[] = [];
    const first = await startSession(
      sessionConfig(run),
      optionsOf({ stopAfter: 7, onStep: ({ step }) => steps.push(step) }),
    );
    expect(first).toMatchObject({ step: 7, finished: false, scores: [] });
    for (const stopAfter of [7, 13, 20])
      await resumeRun(run, {}, optionsOf({ stopAfter, onStep: ({ step }) => steps.push(step) }));
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    // The first update of each part is the warm-up's; none is made twice.
    expect(steps).toEqual([2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20]);
    expect(await lossesOf(run)).toEqual(await lossesOf(unbroken));
    expect(readdirSync(join(run, 'checkpoints'))).toEqual(['last']);
  });

  test('logs the updates before a signal', async () => {
    const run = join(temporaryFolder(), 'run');
    const { step } = await startSession(sessionConfig(run), optionsOf(stopAt(15)));
    const logged = (await lossesOf(run)).map(([step]) => step);
    expect(logged).toEqual([1, 10, step]);
    expect(JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8'))).toEqual({ step, best: null });
  });

  test('stopped before its first update has a checkpoint of the initial weights, and resumes from it', async () => {
    const folder = temporaryFolder();
    const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
    await startSession(sessionConfig(unbroken), optionsOf());
    expect(await startSession(sessionConfig(run), optionsOf({ stopAfter: 0 }))).toMatchObject({
      step: 0,
      finished: false,
    });
    await resumeRun(run, {}, optionsOf());
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
  });

  test('can be extended, and uses changed log options; other changes are errors', async () => {
    const folder = temporaryFolder();
    const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
    await startSession(sessionConfig(unbroken), optionsOf());
    await startSession(sessionConfig(run, { steps: 9 }), optionsOf());
    const refused = { channels: 9, lr: 1, seed: 3, batch: 3, flips: true, data: ['photographs'] };
    for (const [key, value] of Object.entries(refused))
      await expect(resumeRun(run, { [key]: value }, optionsOf())).rejects.toThrow(ConfigError);
    await resumeRun(run, { steps: 20, logEvery: 3 }, optionsOf());
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    expect((await lossesOf(run)).map(([step]) => step)).toEqual([1, 9, 12, 15, 18, 20]);
    expect(JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'))).toMatchObject({ steps: 20, logEvery: 3 });
    const { resumed } = JSON.parse(readFileSync(join(run, 'env.json'), 'utf8'));
    expect(resumed.map(({ step }: { step: number }) => step)).toEqual([9]);
  });
});

test('the name of a picture may be as long as the file system allows', async () => {
  const folder = temporaryFolder();
  const [run, held] = [join(folder, 'run'), join(folder, 'held-out')];
  const name = 'ü€𝄞'.repeat(27);
  expect(Buffer.byteLength(`${name}.png`)).toBe(247);
  mkdirSync(held);
  writeFileSync(join(held, `${name}.png`), await encodePng(syntheticPicture(9, 1, 24)));
  const every = { eval: held, steps: 4, sampleEvery: 2, saveEvery: 4 };
  expect(await startSession(sessionConfig(run, every), optionsOf())).toMatchObject({ finished: true });
  const short = 'ü€𝄞'.repeat(16) + 'ü€';
  expect(Buffer.byteLength(short)).toBe(149);
  expect(readdirSync(join(run, 'samples')).sort()).toEqual(
    [2, 4].flatMap(step => [`step-000000${step}-${short}.part.png`, `step-000000${step}-${short}.png`]),
  );
  expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Development');
});

describe('a run that fails', () => {
  test('for another reason saves first', async () => {
    const run = join(temporaryFolder(), 'run');
    const onStep = ({ step }: { step: number }) => {
      if (step === 6) throw new Error('the display broke');
    };
    await expect(startSession(sessionConfig(run), optionsOf({ onStep }))).rejects.toThrow('the display broke');
    const unbroken = join(temporaryFolder(), 'run');
    await startSession(sessionConfig(unbroken), optionsOf());
    // Updates that were under way when it broke are in the state, and so they are in the log.
    await resumeRun(run, {}, optionsOf());
    expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
    expect(await lossesOf(run)).toEqual(await lossesOf(unbroken));
  });

  test('on a damaged checkpoint names the file and does not change it', async () => {
    const run = join(temporaryFolder(), 'run');
    await startSession(sessionConfig(run, { saveEvery: 5 }), optionsOf({ stopAfter: 7 }));
    const path = join(run, 'checkpoints/last/optimizer.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const resume = resumeRun(run, {}, optionsOf());
    await expect(resume).rejects.toThrow(CheckpointError);
    await expect(resume).rejects.toThrow(
      `${path}: damaged: its SHA-256 is not that of the manifest (other complete checkpoints: step-5)`,
    );
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('because of its folder changes nothing there', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'mine'));
    await expect(startSession(sessionConfig(folder), optionsOf())).rejects.toThrow(/is not empty and has no run/);
    expect(readdirSync(folder)).toEqual(['mine']);
  });
});

describe('a profiled run', () => {
  test('has the same checkpoints, a trace, and a printed summary', async () => {
    const folder = temporaryFolder();
    const [plain, run] = [join(folder, 'plain'), join(folder, 'run')];
    const more = { saveEvery: 4, keep: 0 };
    await startSession(sessionConfig(plain, more), optionsOf());
    const lines: string[] = [];
    const file = join(folder, 'traces', 'trace.json');
    const profile = { file, steps: 3 };
    const result = await startSession(
      sessionConfig(run, more),
      optionsOf({ profile, onLine: line => lines.push(line) }),
    );
    expect(checkpointsOf(run)).toEqual(checkpointsOf(plain));
    expect(await lossesOf(run)).toEqual(await lossesOf(plain));
    expect(result.profile).toMatchObject({ updates: { whole: 3, timed: 3 }, buffersMade: 0 });
    const trace = JSON.parse(readFileSync(file, 'utf8'));
    expect(trace.otherData.summary).toEqual(JSON.parse(JSON.stringify(result.profile)));
    expect(lines.at(0)).toMatch(/^profile of 3 updates, and of 3 timed dispatch by dispatch/);
    expect(lines.at(-1)).toBe(`trace: ${file} (open it at ui.perfetto.dev)`);
  });

  test('that ends too early prints what it measured, or that it measured nothing', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run');
    const lines: string[] = [];
    const options = (steps: number) =>
      optionsOf({ profile: { file: join(folder, 'trace.json'), steps }, onLine: line => lines.push(line) });
    const first = await startSession(sessionConfig(run), { ...options(3), stopAfter: 4 });
    expect(first.profile).toBeUndefined();
    expect(lines).toEqual(['no profile: it needs 6 updates after the first, and the training ended before']);
    expect(readdirSync(folder)).toEqual(['run']);
    const second = await resumeRun(run, {}, { ...options(2), stopAfter: 8 });
    expect(second.profile).toMatchObject({ updates: { whole: 2, timed: 1 } });
    expect(readdirSync(folder).sort()).toEqual(['run', 'trace.json']);
  });
});

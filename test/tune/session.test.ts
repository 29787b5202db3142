/** Tuning as a whole, and training with what it found. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { diagnose } from '../../cli/doctor/diagnosis.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { FixedChoices } from '../../engine/text/choices.ts';
import { conv2d } from '../../kernels/index.ts';
import { parseConfig } from '../../train/config/config.ts';
import { startSession } from '../../train/run/session.node.ts';
import { problemsOf } from '../../tune/problems.ts';
import { type TuningOptions, tune } from '../../tune/session.node.ts';
import { merged, type TunedProblem } from '../../tune/tuned.ts';
import { readTunedFile, writeTunedFile } from '../../tune/tuned-file.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from '../train/resume-run.ts';
import { pairs, SMALL, SmallTraining } from '../train/small-training.ts';

const device = sharedDevice();

/** One small convolution of `channels`. */
const program = (channels: number): TuningOptions['programs'][number] => ({
  plan: () => {
    using x = tensor(new Float32Array(channels * 64), [1, channels, 8, 8]);
    using weight = tensor(new Float32Array(channels ** 2), [channels, channels, 1, 1]);
    using f = compile((x: Tensor, weight: Tensor) => conv2d(x, weight));
    return f.plan([x, weight]).lowered;
  },
});

const tuning = (path: string, more: Partial<TuningOptions> = {}) =>
  tune({ device: device(), programs: [program(8)], path, minutes: 5, rounds: 2, ...more });

describe('tuning', () => {
  test('writes for each problem what won, and what was measured', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    const told: [number, number][] = [];
    const verdicts: TunedProblem[] = [];
    const { file, problems, left } = await tuning(path, {
      onProblem: (done, total) => told.push([done, total]),
      onVerdict: problem => verdicts.push(problem),
    });
    expect(await readTunedFile(path)).toEqual(file);
    expect([problems.length, left]).toEqual([1, 0]);
    expect(verdicts).toEqual(problems);
    const [problem] = file.problems;
    const [posed] = problemsOf(program(8).plan(device()), device().traits);
    expect(problem).toMatchObject({ family: 'conv2d.forward', problem: posed.key, rule: posed.candidates[0] });
    expect(problem.times.map(({ variant }) => variant)).toEqual(posed.candidates);
    expect(posed.candidates).toContain(problem.variant);
    expect(file.adapter).toEqual({ ...device().description });
    expect([told[0], told.at(-1)]).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test('that has no time left goes on where it was, next time', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    const programs = [program(8), program(16)];
    const first = await tuning(path, { programs, minutes: 0 });
    expect([first.problems.length, first.left]).toEqual([1, 1]);
    const second = await tuning(path, { programs, minutes: 0 });
    expect(second.left).toBe(1);
    expect(second.problems[0].problem).not.toBe(first.problems[0].problem);
    expect(second.file.problems.map(({ problem }) => problem).sort()).toEqual(
      [first.problems[0].problem, second.problems[0].problem].sort(),
    );
    // All are known: the oldest is measured again.
    expect((await tuning(path, { programs, minutes: 0 })).problems[0].problem).toBe(first.problems[0].problem);
  });

  test('that is stopped leaves the file as it was', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    await tuning(path);
    const before = readFileSync(path, 'utf8');
    const controller = new AbortController();
    const stopped = tuning(path, {
      programs: [program(16)],
      signal: controller.signal,
      onProblem: () => controller.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
    const late = new AbortController();
    const afterAll = tuning(path, {
      programs: [program(16)],
      signal: late.signal,
      onVerdict: () => late.abort(new Error('late')),
    });
    await expect(afterAll).rejects.toThrow('late');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('does not write over what it cannot read', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    writeFileSync(path, 'mine');
    await expect(tuning(path)).rejects.toThrow(/is not JSON; remove it/);
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });
});

/** Every problem of the small training by its plain kernels, which add in another order than the rule's. */
function plainChoices(): FixedChoices {
  using training = new SmallTraining(device());
  const problems = problemsOf(training.trainer.plan().lowered, device().traits);
  expect(problems.length).toBeGreaterThan(3);
  return new FixedChoices(problems.map(({ family, key }) => ({ family, problem: key, variant: 'plain' })));
}

const configOf = (out: string) =>
  parseConfig({ ...SMALL, data: 'synthetic', out, steps: 6, lr: 1e-3, seed: 2, saveEvery: 100 });

const pictures = pairs().map((pair, i) => ({ ...pair, name: `picture ${i}` }));
const options = (more = {}) => ({ device: device(), command: 'daybreak train …', pictures, ...more });
const weightsOf = (run: string) => readFileSync(join(run, 'checkpoints/last/model.safetensors')).toString('base64');

describe('a run', () => {
  afterEach(() => {
    device().useChoices(undefined);
  });

  test('with tuned kernels goes on with them when it is resumed, whatever is tuned then', async () => {
    const folder = temporaryFolder();
    const [byRule, tuned, resumed] = ['rule', 'tuned', 'resumed'].map(name => join(folder, name));
    await startSession(configOf(byRule), options());
    const choices = plainChoices();
    device().useChoices(choices);
    await startSession(configOf(tuned), options());
    expect(weightsOf(tuned)).not.toBe(weightsOf(byRule));
    expect(JSON.parse(readFileSync(join(tuned, 'choices.json'), 'utf8'))).toEqual(choices.entries);
    await startSession(configOf(resumed), options({ stopAfter: 3 }));
    device().useChoices(undefined);
    await resumeRun(resumed, {}, options());
    expect(weightsOf(resumed)).toBe(weightsOf(tuned));
  });

  test('begun by rule goes on by rule, though another kernel has been tuned since', async () => {
    const folder = temporaryFolder();
    const [unbroken, run] = ['unbroken', 'run'].map(name => join(folder, name));
    await startSession(configOf(unbroken), options());
    await startSession(configOf(run), options({ stopAfter: 3 }));
    device().useChoices(plainChoices());
    await resumeRun(run, {}, options());
    expect(weightsOf(run)).toBe(weightsOf(unbroken));
  });

  test('whose choices are damaged is not resumed with others', async () => {
    const run = join(temporaryFolder(), 'run');
    device().useChoices(plainChoices());
    await startSession(configOf(run), options({ stopAfter: 3 }));
    writeFileSync(join(run, 'choices.json'), '[{"family":');
    await expect(resumeRun(run, {}, options())).rejects.toThrow(/choices\.json: is damaged/);
  });
});

describe('doctor', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('says whether a tuned file is in use', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    vi.stubEnv('DAYBREAK_TUNED', path);
    expect((await diagnose()).tuned).toMatchObject({ state: 'none', path });
    const { description } = device();
    await writeTunedFile(path, merged(undefined, description, 'cpu', '2026-01-02T00:00:00.000Z', []));
    expect((await diagnose()).tuned).toEqual({
      state: 'in use',
      path,
      text: `0 problems, last measured 2026-01-02: ${path}`,
    });
    const other = { ...description, description: 'another' };
    await writeTunedFile(path, merged(undefined, other, 'cpu', '2026-01-02T00:00:00.000Z', []));
    expect((await diagnose()).tuned).toMatchObject({ state: 'other adapter' });
  });
});

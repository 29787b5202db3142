/** Too many skipped updates in a row: the error names the tensor that first became NaN or infinite. */
import { describe, expect, test } from 'vitest';
import { mseLoss, mul } from '../../kernels/index.ts';
import type { ContentTerm } from '../../train/loss-terms.ts';
import { sharedDevice } from '../device.ts';
import { failsAbove, outcome } from './failing-updates.ts';
import { type SmallOptions, SmallTraining } from './small-training.ts';

const device = sharedDevice();

describe('the error names the first tensor', () => {
  const poisoned = async (name: string, value: number, options: SmallOptions = {}) => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 1, ...options });
    const [, variable] = training.net.namedVariables().find(([other]) => other === name)!;
    variable.write((await variable.data()).fill(value, 0, 1));
    return (await outcome(training.trainer.run(1, () => 1e-3))).error!;
  };

  test.each([
    ['conv_in.weight', Number.NaN, 'generator conv_in.weight itself, 1 NaN of 1,944 elements'],
    ['conv_out.bias', Number.POSITIVE_INFINITY, 'generator conv_out.bias itself, 1 infinite of 3 elements'],
    ['blocks.0.bn2.weight', Number.NEGATIVE_INFINITY, 'generator blocks.0.bn2.weight itself, 1 infinite of 8 elements'],
  ])('a weight: %s is %f', async (name, value, first) => {
    const error = await poisoned(name, value);
    expect(error.first).toBe(first);
    expect(error.message).toBe(
      `update 1 contained NaN or infinity (${error.found}); the weights before it are kept; first: ${first}`,
    );
  });

  test('a statistic, although normalization makes the loss finite again', async () => {
    const error = await poisoned('blocks.0.conv1.weight', 1e25);
    expect(error.message).toContain('(1 of the running statistics)');
    expect(error.first).toBe(
      'square [2, 8, 4, 4] after generator blocks.0.conv1, 32 infinite of 256 elements; largest input 1e24',
    );
  });

  test('the output of a layer with a huge weight, and its size', async () => {
    const error = await poisoned('conv_out.weight', 3e38);
    expect(error.first).toMatch(
      /^square \[2, 3, 16, 16\] after generator conv_out, 288 infinite of 1,536 elements; largest input 2\.\d+e38$/,
    );
  });

  test('the output of a PReLU slope, although its shape differs', async () => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 1 });
    for (const [name, value] of [
      ['conv_in.bias', -1e20],
      ['prelu_in.weight', 1e20],
    ] as const) {
      const [, variable] = training.net.namedVariables().find(([other]) => other === name)!;
      variable.write((await variable.data()).fill(value));
    }
    const { error } = await outcome(training.trainer.run(1, () => 1e-3));
    expect(error!.first).toMatch(
      /^prelu\w* \[2, 8, 4, 4\] with generator prelu_in, 256 infinite of 256 elements; largest input 1e20$/,
    );
  });

  test('an infinite loss and what makes it infinite', async () => {
    const before = await poisoned('conv_in.bias', 0, { content: [failsAbove(-100)] });
    expect(before.first).toMatch(/^exp \[\], 1 infinite of 1 elements; largest input \d/);
    const heavy: ContentTerm = { name: 'heavy', weight: 1e38, loss: (sr, hr) => mul(mseLoss(sr, hr), 1e3) };
    const loss = await poisoned('conv_in.bias', 0, { content: [heavy] });
    expect(loss.first).toMatch(/^the generator's loss, mul \[\] .*, 1 infinite of 1 elements; largest input \d+$/);
  });

  test('a gradient whose square overflows, and its size', async () => {
    const huge: ContentTerm = { name: 'huge', weight: 1, loss: (sr, hr) => mul(mseLoss(sr, hr), 1e22) };
    const { first } = await poisoned('conv_in.bias', 0, { content: [huge] });
    expect(first).toMatch(
      /^the gradient of generator conv_out\.\w+, \w+ \[.*\].*, [\d,]+ of [\d,]+ elements overflow when squared, up to \d[\d.]*e\d+;/,
    );
  });

  test('the learning rate', async () => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 1 });
    await training.to(1);
    // Infinite for float32, and so are the weights then, which the next update meets; the rate comes first.
    const { error } = await outcome(training.trainer.run(3, () => 1e39));
    expect(error!.first).toBe('the learning rate itself, 1 infinite of 1 elements');
  });

  test('with a batch in parts', async () => {
    const error = await poisoned('conv_out.weight', Number.NaN, { accumulate: 2 });
    expect(error.first).toBe('generator conv_out.weight itself, 1 NaN of 1,944 elements');
  });

  test('reports its progress; can be interrupted and repeated', async () => {
    const told: [number, number][] = [];
    const controller = new AbortController();
    using training = new SmallTraining(device(), 1, {
      maxNonFinite: 1,
      content: [failsAbove(-100)],
      onDiagnosis: (done, total) => {
        told.push([done, total]);
        if (told.length === 5) controller.abort();
      },
    });
    const run = (signal?: AbortSignal) => outcome(training.trainer.run(1, () => 1e-3, signal));
    // Aborted in the middle of looking, which begins once nothing is left to be done.
    expect((await run(controller.signal)).error!.first).toBe('unknown, the search was interrupted');
    expect(told).toHaveLength(5);
    const { first } = (await run()).error!;
    expect(first).toMatch(/^exp /);
    const counts = told.slice(5).map(([done]) => done);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(new Set(told.map(([, total]) => total)).size).toBe(1);
  });
});

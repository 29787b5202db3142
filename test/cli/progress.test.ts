import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BatchProgress, PhaseProgress, TrainingProgress } from '../../cli/progress.ts';

/** A stream that remembers what was written, and a clock to set. */
function stage(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  let written = '';
  stream.on('data', chunk => {
    written += chunk;
  });
  const clock = { seconds: 0 };
  return {
    clock,
    options: { stream, now: () => clock.seconds * 1000 },
    text: () => written,
    lines: () => written.split('\n').slice(0, -1),
  };
}

/** What a terminal of one line shows after these characters: later ones replace earlier ones. */
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
const shown = (text: string) =>
  text
    .replace(ESCAPES, '\r')
    .split('\n')
    .map(line => line.split('\r').filter(Boolean).at(-1) ?? '');

beforeEach(() => vi.stubEnv('TERM', 'xterm'));
afterEach(() => vi.unstubAllEnvs());

describe('without a terminal', () => {
  test('a training is a plain line at once, then every ten seconds, and at the end how it stands', () => {
    const { clock, options, lines, text } = stage(false);
    const progress = new TrainingProgress(2000, 0, options);
    expect(text()).toBe('');
    for (let step = 1; step <= 250; step++) {
      clock.seconds = step / 8;
      progress.update({ step, loss: 1 / step, imagesPerSecond: 88.88 });
    }
    progress[Symbol.dispose]();
    expect(lines()).toEqual([
      'step 1/2,000  loss 1  88.9 images/s  left 4 min 10 s',
      'step 81/2,000  loss 0.0123  88.9 images/s  left 4 min',
      'step 161/2,000  loss 0.00621  88.9 images/s  left 3 min 50 s',
      'step 241/2,000  loss 0.00415  88.9 images/s  left 3 min 40 s',
      'step 250/2,000  loss 0.004  88.9 images/s  left 3 min 39 s',
    ]);
    progress[Symbol.dispose]();
    expect(lines()).toHaveLength(5);
  });

  test('of two networks, the discriminator’s answers stand beside the loss', () => {
    const { options, lines } = stage(false);
    using progress = new TrainingProgress(10, 0, options);
    const terms = { mse: 0.01, dReal: 0.75, dFake: 0.254 };
    progress.update({ step: 1, loss: 0.0123, imagesPerSecond: 2, terms });
    expect(lines()).toEqual(['step 1/10  loss 0.0123  D(real) 0.75  D(fake) 0.25  2 images/s  left 0 s']);
  });

  test('the GPU memory that the training holds stands before the time left', () => {
    const { options, lines } = stage(false);
    using progress = new TrainingProgress(10, 0, options);
    progress.update({ step: 1, loss: 0.5, imagesPerSecond: 2, gpuBytes: 308 * 2 ** 20 });
    expect(lines()).toEqual(['step 1/10  loss 0.5  2 images/s  GPU 308 MiB  left 0 s']);
  });

  test('the time between two lines can be chosen', () => {
    const { clock, options, lines } = stage(false);
    const progress = new TrainingProgress(10, 0, { ...options, every: 2 });
    for (let step = 1; step <= 10; step++) {
      clock.seconds = step;
      progress.update({ step, loss: 0, imagesPerSecond: 1 });
    }
    progress[Symbol.dispose]();
    expect(lines().map(line => line.split('/')[0])).toEqual([
      'step 1',
      'step 3',
      'step 5',
      'step 7',
      'step 9',
      'step 10',
    ]);
  });

  test('lines that stay go between them', () => {
    const { options, lines } = stage(false);
    using progress = new TrainingProgress(10, 0, options);
    progress.line('a.png: empty file');
    progress.update({ step: 1, loss: 0.5, imagesPerSecond: 2 });
    progress.line('saved');
    expect(lines()).toEqual(['a.png: empty file', 'step 1/10  loss 0.5  2 images/s  left 0 s', 'saved']);
  });

  test('a phase is a line now and then, its last included', () => {
    const { clock, options, lines } = stage(false);
    const phase = new PhaseProgress('warming up kernels', options);
    for (let done = 0; done <= 63; done++) {
      clock.seconds = done * 0.25;
      phase.update(done, 63, `conv ${done}`);
    }
    phase[Symbol.dispose]();
    expect(lines()).toEqual([
      'warming up kernels 0/63  conv 0',
      'warming up kernels 40/63  conv 40',
      'warming up kernels 63/63  conv 63',
    ]);
  });

  test('a batch prints its lines, and where it stands only if none was printed for ten seconds', () => {
    const { clock, options, lines } = stage(false);
    const batch = new BatchProgress(4, options);
    batch.update(0, 'a.png');
    clock.seconds = 9;
    batch.lineWithoutBar('1/4 a.png');
    batch.line('a.png 9x7 -> a_x4.png 36x28');
    batch.update(1, 'b.png');
    clock.seconds = 18;
    batch.update(1.25, 'b.png  tile 1/4');
    clock.seconds = 20;
    batch.update(1.5, 'b.png  tile 2/4');
    clock.seconds = 29;
    batch.update(1.75, 'b.png  tile 3/4');
    batch[Symbol.dispose]();
    expect(lines()).toEqual(['1/4 a.png', 'a.png 9x7 -> a_x4.png 36x28', '1/4  left 33 s  b.png  tile 2/4']);
  });
});

describe('the time left', () => {
  const lastLeft = (lines: string[]) => /left (.+)$/.exec(lines.at(-1)!)?.[1];

  test('counts only what this process did, where a run is resumed', () => {
    const { clock, options, lines } = stage(false);
    using progress = new TrainingProgress(1000, 900, { ...options, every: 0 });
    expect(lines()).toEqual(['step 900/1,000']);
    clock.seconds = 20;
    progress.update({ step: 910, loss: 1, imagesPerSecond: 1 });
    expect(lastLeft(lines())).toBe('3 min');
  });

  test('follows the speed of the last minute', () => {
    const { clock, options, lines } = stage(false);
    using progress = new TrainingProgress(1000, 0, { ...options, every: 0 });
    for (let step = 1; step <= 500; step++) {
      clock.seconds += step <= 100 ? 10 : 1;
      progress.update({ step, loss: 1, imagesPerSecond: 1 });
    }
    expect(lastLeft(lines())).toBe('8 min 20 s');
  });

  test('is not told before anything is done', () => {
    const { options, lines } = stage(false);
    using progress = new TrainingProgress(10, 4, { ...options, every: 0 });
    progress.update({ step: 4, loss: 1, imagesPerSecond: Number.NaN });
    expect(lines().at(-1)).toBe('step 4/10  loss 1  – images/s');
  });
});

describe('on a terminal', () => {
  test('a training is a bar that moves, and stays with its last state', async () => {
    const { clock, options, text } = stage(true);
    const progress = new TrainingProgress(200, 0, options);
    clock.seconds = 5;
    progress.update({ step: 50, loss: 0.25, imagesPerSecond: 160 });
    await vi.waitFor(() => expect(text()).toContain('step 50/200'), { timeout: 3000 });
    expect(text()).toContain('25 %  step 50/200  loss 0.25  160 images/s  left 15 s');
    clock.seconds = 20;
    progress.update({ step: 200, loss: 0.125, imagesPerSecond: 160 });
    progress[Symbol.dispose]();
    const screen = shown(text());
    expect(screen.at(-2)).toContain('100 %  step 200/200  loss 0.125  160 images/s  left 0 s');
    expect(screen.at(-2)).toMatch(/█{24}/);
    const length = text().length;
    await new Promise(resolve => setTimeout(resolve, 250));
    expect(text().length).toBe(length);
  });

  test('lines that stay stand above it, also those just before the end', async () => {
    const { options, text } = stage(true);
    const progress = new TrainingProgress(10, 0, options);
    progress.update({ step: 1, loss: 1, imagesPerSecond: 1 });
    progress.line('saved the checkpoint');
    progress[Symbol.dispose]();
    progress.line('done');
    const screen = shown(text());
    expect(screen.findIndex(line => line.includes('saved the checkpoint'))).toBeLessThan(
      screen.findIndex(line => line.includes('step 1/10')),
    );
    expect(screen.at(-2)).toBe('done');
  });

  test('the cursor is hidden meanwhile and comes back', () => {
    const { options, text } = stage(true);
    const progress = new TrainingProgress(10, 0, options);
    progress[Symbol.dispose]();
    const start = String.fromCharCode(27);
    expect(text()).toContain(`${start}[?25l`);
    expect(text().lastIndexOf(`${start}[?25h`)).toBeGreaterThan(text().lastIndexOf(`${start}[?25l`));
  });

  test('a phase vanishes when it is over', async () => {
    const { options, text } = stage(true);
    const phase = new PhaseProgress('warming up kernels', options);
    phase.update(12, 63, 'conv2d');
    await vi.waitFor(() => expect(text()).toContain('19 %  warming up kernels 12/63  conv2d'), { timeout: 3000 });
    phase[Symbol.dispose]();
    // The last thing done to the screen is to clear from the line's start downwards.
    expect(text()).toMatch(new RegExp(`${String.fromCharCode(27)}\\[0?J$`));
  });

  test('a batch is a bar that vanishes, and keeps the lines of its results', async () => {
    const { clock, options, text } = stage(true);
    const batch = new BatchProgress(4, options);
    clock.seconds = 6;
    batch.update(1.5, 'b.png  tile 2/4');
    batch.line('a.png 9x7 -> a_x4.png 36x28');
    batch.lineWithoutBar('1/4 a.png');
    await vi.waitFor(() => expect(text()).toContain('37 %  1/4  left 10 s  b.png  tile 2/4'), { timeout: 3000 });
    batch[Symbol.dispose]();
    expect(shown(text())).toContain('a.png 9x7 -> a_x4.png 36x28');
    expect(text()).not.toContain('1/4 a.png');
    expect(text()).toMatch(new RegExp(`${String.fromCharCode(27)}\\[0?J$`));
  });

  test('that cannot move the cursor, there are plain lines', () => {
    vi.stubEnv('TERM', 'dumb');
    const { options, text } = stage(true);
    const progress = new TrainingProgress(10, 0, options);
    progress.update({ step: 1, loss: 0.5, imagesPerSecond: 2 });
    progress.line('saved');
    const batch = new BatchProgress(2, options);
    batch.lineWithoutBar('1/2 a.png');
    expect(text()).toBe('step 1/10  loss 0.5  2 images/s  left 0 s\nsaved\n1/2 a.png\n');
  });

  test('the cursor comes back even if the process exits early', () => {
    const { options, text } = stage(true);
    const before = process.listeners('exit');
    using _progress = new TrainingProgress(10, 0, options);
    const [added] = process.listeners('exit').filter(listener => !before.includes(listener));
    added(1);
    const start = String.fromCharCode(27);
    expect(text().lastIndexOf(`${start}[?25h`)).toBeGreaterThan(text().lastIndexOf(`${start}[?25l`));
  });

  test('signals are left to the command', () => {
    const before = process.listenerCount('SIGINT');
    using _progress = new TrainingProgress(10, 0, stage(true).options);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { count, duration, figure, signed } from '../../common/text.ts';
import { escapeHtml, scriptJson } from '../../pages/html.ts';
import { chartsOf, smoothed, thinned } from '../../train/report/curves.ts';
import { linearTicks, logarithmicTicks, padded, svgOf } from '../../train/report/svg.ts';
import type { MetricsEntry } from '../../train/run-folder/metrics.ts';

const at = (step: number, loss: number): MetricsEntry => ({ step, loss, lr: 1e-4, imagesPerSecond: 10, seconds: step });
const scored = (step: number, data: string, psnr: number): MetricsEntry => ({
  step,
  evaluation: { data, psnr, ssim: 0.8, psnr_paper: psnr, ssim_paper: 0.8 },
});
const quality = (psnr: number) => ({ psnr, ssim: 0.8, psnr_paper: psnr, ssim_paper: 0.8 });

describe('thinning', () => {
  test('keeps all of few values; of many it keeps the first, the last, and every spike', () => {
    expect(thinned([3, 1, 2])).toEqual([0, 1, 2]);
    const values = Array.from({ length: 50_000 }, () => 1);
    values[777] = 9;
    values[31_415] = -9;
    const picked = thinned(values);
    expect(picked.length).toBeLessThanOrEqual(1202);
    expect(picked).toEqual(expect.arrayContaining([0, 777, 31_415, 49_999]));
  });

  test('is always strictly ascending, and keeps minimum and maximum', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 60 }), (all, points) => {
        const picked = thinned(all, points);
        for (let i = 1; i < picked.length; i++) expect(picked[i]).toBeGreaterThan(picked[i - 1]);
        const kept = picked.map(i => all[i]);
        expect(Math.max(...kept)).toBe(Math.max(...all));
        expect(Math.min(...kept)).toBe(Math.min(...all));
        expect(picked[0]).toBe(0);
        expect(picked.at(-1)).toBe(all.length - 1);
      }),
    );
  });
});

describe('smoothing', () => {
  test('does not change constants, starts at the first value, follows a step slowly', () => {
    const flat = smoothed(Array.from({ length: 400 }, () => 0.25));
    for (const value of flat) expect(value).toBeCloseTo(0.25, 12);
    const step = smoothed(Array.from({ length: 400 }, (_, i) => (i < 200 ? 1 : 0)));
    expect(step[0]).toBe(1);
    // A fortieth of 400 values is 10: after 10 more, (1 - 1/10)^10 of the old level is left.
    expect(step[209]).toBeCloseTo(0.9 ** 10, 6);
  });

  test('ignores non-finite values', () => {
    expect(smoothed([1, Number.NaN, 1])).toEqual([1, 1, 1]);
    expect(smoothed([Number.NaN])).toEqual([Number.NaN]);
  });
});

describe('charts', () => {
  test("bicubic's line is in the chart of its set, if it is known", () => {
    const charts = chartsOf(
      [scored(100, 'Set5', 27), scored(100, 'mine', 20), scored(200, 'Set5', 29)],
      [{ data: 'Set5', images: [{ name: 'a', bicubic: quality(28), model: quality(29) }] }],
    );
    expect(charts.map(({ title }) => title)).toEqual(['PSNR on Set5', 'PSNR on mine']);
    expect(charts[0].steps).toEqual([100, 200]);
    expect(charts[0].lines).toEqual([
      { label: 'bicubic', role: 'reference', values: [28, 28] },
      { label: 'SRResNet', role: 'main', values: [27, 29] },
    ]);
    expect(charts[1].lines.map(({ label }) => label)).toEqual(['SRResNet']);
  });

  test('a loss that falls far has a logarithmic scale; non-finite values are left out', () => {
    const falling = chartsOf([at(1, 1), at(2, Number.NaN), at(3, 0.01)], [])[0];
    expect(falling).toMatchObject({ title: 'Loss', logarithmic: true, steps: [1, 2, 3] });
    expect(falling.lines[0].values).toEqual([1, null, 0.01]);
    expect(chartsOf([at(1, 1), at(2, 0.9)], [])[0].logarithmic).toBe(false);
  });

  test('every term of a loss has a chart; the outputs of the discriminator share one', () => {
    const terms = { mse: 0.1, vgg44: 3, adversarial: 1, discriminator: 1.5, dReal: 0.75, dFake: 0.25 };
    const charts = chartsOf(
      [{ ...at(1, 1), terms } as MetricsEntry, { ...at(2, 1), terms } as MetricsEntry],
      [],
      'SRGAN',
    );
    expect(charts.map(({ title }) => title)).toEqual([
      'Loss',
      'Mean squared error',
      'VGG44',
      'Adversarial loss',
      "Discriminator's loss",
      'D(real) and D(fake)',
      'Learning rate',
      'Speed',
    ]);
    expect(charts[0].note).toBe('total loss of the generator');
    expect(charts[2].lines.map(({ values }) => values)).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(charts[5].lines).toEqual([
      { label: 'D(y)', role: 'main', values: [0.75, 0.75] },
      { label: 'D(G(x))', role: 'second', values: [0.25, 0.25] },
    ]);
    // A single term is the loss, and has no second chart.
    const alone = chartsOf([{ ...at(1, 1), terms: { mse: 1 } } as MetricsEntry], []);
    expect(alone.map(({ title }) => title)).toEqual(['Loss', 'Learning rate', 'Speed']);
    expect(alone[0].note).toBe('mean squared error on [−1, 1]');
  });

  test('an empty log has no charts', () => {
    expect(chartsOf([], [])).toEqual([]);
  });
});

describe('ticks', () => {
  test('are round numbers within the bounds', () => {
    expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(27.3, 29.1, 5)).toEqual([27.5, 28, 28.5, 29]);
    expect(linearTicks(1, 2000, 5)).toEqual([500, 1000, 1500, 2000]);
    expect(logarithmicTicks(0.008, 0.6)).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5]);
    expect(logarithmicTicks(1e-5, 0.1)).toEqual([1e-5, 1e-4, 1e-3, 0.01, 0.1]);
  });

  test('are at most eleven and within the bounds for any data', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [low, high] = padded(Math.min(a, b), Math.max(a, b), false);
        fc.pre(high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)));
        const ticks = linearTicks(low, high, 5);
        expect(ticks.length).toBeLessThanOrEqual(11);
        const air = (high - low) * 1e-6;
        for (const tick of ticks) expect(tick >= low - air && tick <= high + air).toBe(true);
      }),
    );
  });
});

describe('the SVG', () => {
  test('draws every value inside its frame, with gaps for missing values', () => {
    const steps = [0, 10, 20, 30];
    const svg = svgOf({
      title: 'A & B',
      note: '',
      logarithmic: true,
      steps,
      lines: [{ label: 'x', role: 'main', values: [1, null, 100, 10] }],
    });
    const path = /<path class="main" d="([^"]+)"/.exec(svg)![1];
    expect(path.match(/[ML]/g)).toEqual(['M', 'M', 'L']);
    const points = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const [width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number);
    for (const [x, y] of points) expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
    // 10 lies halfway between 1 and 100 on a logarithmic axis; up is less.
    expect(points[2][1]).toBeCloseTo((points[0][1] + points[1][1]) / 2, 0);
    expect(points[1][1]).toBeLessThan(points[0][1]);
    expect(svg).toContain('A &amp; B');
    expect(svg.match(/<circle /g)).toHaveLength(3);
  });

  test('handles one value, equal values, zeros and none', () => {
    const chart = (values: (number | null)[], logarithmic = false) =>
      svgOf({
        title: 't',
        note: '',
        logarithmic,
        steps: values.map((_, i) => i),
        lines: [{ label: 'x', role: 'main', values }],
      });
    for (const svg of [chart([5]), chart([5, 5, 5]), chart([0, 0]), chart([0, 2], true)]) {
      expect(svg).not.toContain('NaN');
      expect(svg).not.toContain('Infinity');
      expect(svg).toContain('<circle');
    }
    for (const svg of [chart([null]), chart([0], true)]) expect(svg).toContain('nothing was measured');
  });
});

describe('text', () => {
  test('numbers', () => {
    expect([0.0123456, 1e-4, 2.5e-8, 0, 12.345, 1234.5, 2e6, Number.NaN].map(value => figure(value))).toEqual([
      '0.0123',
      '1e-4',
      '2.5e-8',
      '0',
      '12.3',
      '1,230',
      '2e6',
      '–',
    ]);
    expect(figure(10e-5, 1)).toBe('1e-4');
    expect(count(1234567)).toBe('1,234,567');
    expect([1.234, -0.5, 0.001, -0.001].map(value => signed(value, 2))).toEqual(['+1.23', '−0.50', '0.00', '0.00']);
  });

  test('durations', () => {
    expect([0, 0.84, 9.96, 59.6, 184, 180, 3600, 7805, Number.NaN].map(duration)).toEqual([
      '0 s',
      '0.84 s',
      '10 s',
      '1 min',
      '3 min 4 s',
      '3 min',
      '1 h',
      '2 h 10 min',
      '–',
    ]);
  });

  test('text cannot break out of HTML or a script', () => {
    expect(escapeHtml(`<a b="c">&'`)).toBe('&lt;a b=&quot;c&quot;&gt;&amp;&#39;');
    const value = { a: '</script><!--\u2028' };
    expect(scriptJson(value)).not.toMatch(/[<\u2028]/);
    expect(JSON.parse(scriptJson(value))).toEqual(value);
  });
});

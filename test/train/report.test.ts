import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode, encodePng } from '../../image/codec.node.ts';
import { ImageError } from '../../image/errors.ts';
import { parseConfig } from '../../train/config/config.ts';
import { RunFolderError } from '../../train/errors.ts';
import { writeReport } from '../../train/report/report.node.ts';
import type { ReportContent } from '../../train/report/report-content.ts';
import { SCRIPT } from '../../train/report/script.ts';
import { describeEnvironment } from '../../train/run-folder/environment.node.ts';
import { isEvaluation, type MetricsEntry } from '../../train/run-folder/metrics.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { findChromium } from '../web/chromium.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybreak-report-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const picture = formulaPicture([12, 8, 3, 1]);

/** A run of 20 updates, evaluated twice. */
async function content(changes: Partial<ReportContent> = {}): Promise<ReportContent> {
  const config = parseConfig({ data: ['synthetic'], out: 'runs/a', steps: 20, channels: 8, blocks: 2, eval: ['set'] });
  const scores = (psnr: number) => ({ psnr, ssim: 0.81234, psnr_paper: psnr + 0.1, ssim_paper: 0.85 });
  return {
    config,
    environment: await describeEnvironment({ adapter: { description: 'llvmpipe' }, limits: { maxBufferSize: 1024 } }),
    metrics: [
      ...Array.from({ length: 20 }, (_, i) => ({
        step: i + 1,
        loss: 1 / (i + 1),
        lr: 1e-4,
        imagesPerSecond: 5,
        seconds: (i + 1) * 2,
        waitedForDataSeconds: 0.5,
      })),
      { step: 10, evaluation: { data: 'set', ...scores(26) } },
      { step: 20, evaluation: { data: 'set', ...scores(28.5) } },
    ],
    scores: [
      {
        data: 'set',
        images: [
          { name: 'bird', bicubic: scores(27), model: scores(28.25) },
          { name: 'cat', bicubic: scores(27), model: scores(26.5) },
        ],
      },
    ],
    pictures: [{ title: 'bird', caption: 'LR | bicubic', png: await encodePng(picture) }],
    command: 'npx daybreak train srresnet --data synthetic --out runs/a --steps 20',
    ...changes,
  };
}

async function page(changes: Partial<ReportContent> = {}): Promise<string> {
  return await readFile(await writeReport(folder, await content(changes)), 'utf8');
}

/** The page's text without scripts, styles and tags: what is read where nothing runs. */
const readable = (html: string) =>
  html
    .replace(/<(script|style)[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('without JavaScript', () => {
  test('the figures, the scores by both protocols, the command and the machine are readable', async () => {
    const text = readable(await page());
    expect(text).toContain('SRResNet, 2 blocks of 8 channels');
    expect(text).toContain('20 updates with 16 crops of 96×96 pixels, learning rate 1e-4, seed 0');
    expect(text).toContain('gain over bicubic on set +0.38 dB');
    expect(text).toContain('training 40 s');
    expect(text).toContain('speed 8 images/s');
    expect(text).toContain('GPU waited for data 0.5 s');
    expect(text).toContain('protocol matlab protocol paper');
    expect(text).toContain('bird 27.00 0.8123 28.25 0.8123 +1.25 27.10 0.8500 28.35 0.8500 +1.25');
    expect(text).toContain('cat 27.00 0.8123 26.50 0.8123 −0.50');
    expect(text).toContain('mean 27.00 0.8123 27.38 0.8123 +0.38');
    expect(text).toContain('daala');
    expect(text).toContain('npx daybreak train srresnet --data synthetic --out runs/a --steps 20');
    expect(text).toContain('llvmpipe');
    expect(text).toContain(`Node, webgpu ${process.version}`);
    expect(text).toContain('maxBufferSize 1,024');
  });

  test('every option is listed, with its default if it differs', async () => {
    const html = await page();
    for (const key of ['data', 'steps', 'lrSchedule', 'logEvery']) expect(html).toContain(`<code>${key}</code>`);
    expect(readable(html)).toContain('channels 8 64 feature maps');
    expect(readable(html)).toContain('batch 16 crops per batch');
    expect(html.match(/<tr class="changed">/g)).toHaveLength(4); // steps, channels, blocks, eval
  });

  test('options derived from others do not count as changes; the loss is explained', async () => {
    const given = { data: 'synthetic', out: 'runs/a', init: 'none', vgg: 'v', steps: 20 };
    const config = parseConfig({ ...given, model: 'srgan' });
    const text = readable(await page({ config, loss: 'vgg54: features < 1' }));
    expect(text).toContain('lrStepEvery 10 updates between');
    expect(text).toContain('steps 20 200000 number of updates');
    expect(text).toContain('vgg54: features &lt; 1');
  });

  test('explains how to repeat the run, with a copy of its initial weights if it had any', async () => {
    expect(readable(await page())).toContain('--config config.json --out NEW trains the same network.');
    const config = parseConfig({ data: 'synthetic', out: 'runs/b', init: 'runs/a', model: 'srgan-mse' });
    const text = readable(await page({ config }));
    expect(text).toContain('--config config.json --init init.safetensors --out NEW trains the same network.');
    expect(text).toContain('gives it as long as runs/a has not changed');
  });

  test('the curves are SVG: loss, PSNR with bicubic, learning rate, speed', async () => {
    const html = await page();
    expect(html.match(/<svg /g)).toHaveLength(4);
    expect(html).toContain('aria-label="PSNR on set, dB, protocol matlab, over updates 10 to 20"');
    expect(html.match(/<path class="reference"/g)).toHaveLength(1);
    expect(html).not.toMatch(/NaN|Infinity(?!\b)/);
  });

  test('pictures are embedded without loss', async () => {
    const html = await page();
    const [, data, size] =
      /<img src="data:image\/png;base64,([^"]+)" (width="12" height="8") alt="bird: LR \| bicubic"/.exec(html)!;
    expect(size).toBeDefined();
    expect(await decode(Buffer.from(data, 'base64'), 'embedded')).toEqual(picture);
  });
});

describe('other runs', () => {
  test('without evaluation and pictures have no empty sections', async () => {
    const text = readable(await page({ scores: [], pictures: [], metrics: (await content()).metrics.slice(0, 20) }));
    expect(text).toContain('Curves');
    for (const missing of ['Scores', 'Pictures', 'PSNR', 'gain over bicubic']) expect(text).not.toContain(missing);
  });

  test('without log entries have a page', async () => {
    const text = readable(await page({ scores: [], pictures: [], metrics: [] }));
    expect(text).toContain('0 of 20 updates');
    expect(text).not.toContain('Curves');
  });

  test('that were stopped and resumed say so', async () => {
    const { environment, metrics } = await content();
    const resumed = [{ ...environment, step: 7, node: 'v99.0.0' }];
    const text = readable(await page({ environment: { ...environment, resumed }, metrics: metrics.slice(0, 15) }));
    expect(text).toContain('15 of 20 updates');
    expect(text).toMatch(/resumed after update 7 .*Node v99\.0\.0/);
    expect(text).toContain('This run was stopped and resumed after update 7 (see Environment).');
    const often = [7, 7, 1200, 1300].map(step => ({ ...environment, step }));
    expect(readable(await page({ environment: { ...environment, resumed: often }, metrics }))).toContain(
      'resumed after updates 7, 1,200 and 1,300 (see',
    );
    expect(readable(await page({ metrics }))).not.toContain('This run was stopped');
  });

  test('with skipped updates say how many, and still have losses and curves', async () => {
    const { metrics } = await content();
    const skipping = metrics.map((entry, i) => {
      if (isEvaluation(entry)) return entry;
      const { terms: _, ...rest } = entry;
      if (i === 3) return { ...entry, skipped: 2 };
      return i === 19 || i === 5 ? { ...rest, loss: Number.NaN, skipped: 1 } : entry;
    });
    const text = readable(await page({ metrics: skipping }));
    expect(text).toContain('4 of 20 updates were skipped, because a loss');
    expect(text).not.toContain('NaN');
    expect(readable(await page({ metrics: [{ ...metrics[0], skipped: 1 } as MetricsEntry] }))).toContain(
      '1 of 1 update was skipped',
    );
    expect(readable(await page({ metrics }))).not.toContain('were skipped');
  });
});

describe('one self-contained file', () => {
  test('loads nothing and forbids loading', async () => {
    const html = await page();
    const markup = html.replace(/<script[^>]*>.*?<\/script>/gs, '');
    expect(markup).not.toMatch(/(src|href)="(?!data:image\/png;base64,)/);
    expect(markup).not.toMatch(/@import|url\(|<link|<iframe/);
    expect(html).toContain(`content="default-src 'none'; img-src data:;`);
    expect(await readdir(folder)).toEqual(['report.html']);
  });

  test('escapes names in markup and script', async () => {
    const evil = '</script><img src=x onerror=alert(1)>"\'';
    const { config, metrics, scores } = await content();
    const html = await page({
      title: evil,
      command: evil,
      config: { ...config, out: evil, data: [evil] },
      pictures: [{ title: evil, caption: evil, png: await encodePng(picture) }],
      scores: [{ data: evil, images: [{ ...scores[0].images[0], name: evil }] }],
      metrics: metrics.map(entry =>
        'evaluation' in entry ? { ...entry, evaluation: { ...entry.evaluation, data: evil } } : entry,
      ),
    });
    expect(html).not.toContain('<img src=x');
    expect(html.match(/<\/script>/g)).toHaveLength(1);
  });

  test('has a valid script', () => {
    // Its names come from the page; parsing does not run it.
    expect(() => new Function('charts', SCRIPT)).not.toThrow();
    expect(() => new Function('charts', `${SCRIPT})`)).toThrow(SyntaxError);
  });

  test('a picture that is not a PNG, and a missing folder, are errors', async () => {
    await expect(page({ pictures: [{ title: 'bird', png: new Uint8Array(40) }] })).rejects.toThrow(ImageError);
    await expect(writeReport('/dev/null/run', await content())).rejects.toThrow(RunFolderError);
  });
});

const browser = findChromium();

describe.skipIf(browser === undefined)('in a browser (skipped without Chromium)', () => {
  test('the charts show the values at the pointer, without errors', async () => {
    const path = await writeReport(folder, await content());
    // Moves the pointer to the middle of the first chart.
    const move = `
      const svg = document.querySelector('.plot svg');
      const { left, width } = svg.getBoundingClientRect();
      svg.dispatchEvent(new PointerEvent('pointermove', { clientX: left + width * 0.54 }));`;
    const html = await readFile(path, 'utf8');
    await writeFile(
      path,
      html.replace('</body>', () => `<script type="module">${move}</script></body>`),
    );
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    const { stdout, stderr } = await promisify(execFile)(
      browser!,
      [
        ...flags,
        `--user-data-dir=${folder}/profile`,
        '--enable-logging=stderr',
        '--virtual-time-budget=2000',
        '--dump-dom',
        pathToFileURL(path).href,
      ],
      { timeout: 60_000, maxBuffer: 2 ** 26 },
    );
    expect(stderr.split('\n').filter(line => line.includes('CONSOLE'))).toEqual([]);
    const shown = stdout.slice(stdout.indexOf('<main>'), stdout.indexOf('</main>'));
    expect(shown.match(/<svg/g)).toHaveLength(4);
    // Update 11 of 1 to 20.
    expect(shown).toMatch(/<div class="readout">update 11: as logged 0\.090909, smoothed 0\.\d+<\/div>/);
    expect(shown.match(/visibility="visible"/g)).toHaveLength(1);
    expect(shown).toContain('<button>Copy</button>');
  });
});

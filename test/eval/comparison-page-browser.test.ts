/** The page of a comparison in Chromium, as its readers use it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { ComparisonPage } from '../../eval/comparison-page/page.node.ts';
import { decode } from '../../image/codec.node.ts';
import { type Picture, splitAlpha, toRgb } from '../../image/picture.ts';
import { resize, shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { findChromium } from '../web/chromium.ts';
import { temporaryFolder } from './temporary.ts';

const path = findChromium();
const reason = 'no Chromium on the PATH: install one, or name it in DAYBREAK_CHROMIUM';
let browser: Browser | undefined;

beforeAll(async () => {
  // Its sandbox refuses to start as root and in most containers.
  if (path) browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
});
afterAll(async () => await browser?.close());

const LABELS = ['nearest', 'bicubic'] as const;
const originals = [syntheticPicture(4, 0, 96), syntheticPicture(5, 0, 64)];

/** Opens a page of two pictures, `one` of 96×96 pixels and `two` of 64×64. What the browser complains of is in `problems`. */
async function opened(
  skip: TestContext['skip'],
  how: Parameters<Browser['newContext']>[0],
  crop?: { x: number; y: number; width: number; height: number },
): Promise<{ page: Page; context: BrowserContext; problems: string[] }> {
  skip(!browser && !process.env.CI, reason);
  expect(browser, reason).toBeDefined();
  const file = join(temporaryFolder(), 'page.html');
  await using writer = await ComparisonPage.create(file, { title: 'two', labels: LABELS, crop });
  for (const [i, hr] of originals.entries()) {
    const lr = shrink(hr);
    const results = LABELS.map(label => ({ label, picture: resize(lr, 4, { method: label }) }));
    await writer.add({ name: ['one', 'two'][i], hr, lr, results });
  }
  await writer.finish();
  const context = await browser!.newContext(how);
  const problems: string[] = [];
  context.on('console', message => problems.push(message.text()));
  context.on('weberror', error => problems.push(error.error().message));
  context.on('request', request => {
    if (!/^(file|data):/.test(request.url())) problems.push(request.url());
  });
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href);
  await settled(page);
  return { page, context, problems };
}

const settled = (page: Page) => page.waitForSelector('#stage[aria-busy=false]');

const press = async (page: Page, key: string) => {
  await page.keyboard.press(key);
  await settled(page);
};

interface State {
  readonly alt: readonly string[];
  readonly figures: readonly string[];
  readonly transforms: readonly string[];
  readonly zoom: string;
  /** Where the right picture begins, CSS pixels from the left of the stage. */
  readonly clip: number;
  readonly now: number;
}

/** What can be seen: the versions and their scores, where the pictures lie, the zoom, the boundary. */
const state = (page: Page): Promise<State> =>
  page.evaluate(`(() => {
    const element = id => document.getElementById(id);
    const images = [...document.querySelectorAll('.layer img')];
    return {
      alt: images.map(({ alt }) => alt),
      figures: [element('left-figures').textContent, element('right-figures').textContent],
      transforms: images.map(({ style }) => style.transform),
      zoom: element('zoom').textContent,
      clip: Number(/ ([0-9.]+)px\\)$/.exec(getComputedStyle(element('right-layer')).clipPath)?.[1]),
      now: Number(element('handle').ariaValueNow),
    };
  })()`);

test('keys move the boundary, choose versions and pictures, and zoom both sides alike', async ({ skip }) => {
  const { page, context, problems } = await opened(skip, { viewport: { width: 1280, height: 800 } });
  const first = await state(page);
  // 510 pixels of height hold 96 five times.
  expect(first).toMatchObject({ alt: ['one, nearest', 'one, bicubic'], zoom: '500 %', now: 50 });
  await page.keyboard.press('Tab');
  await page.locator('#handle').focus();
  await press(page, 'ArrowRight');
  expect(await state(page)).toMatchObject({ now: 51, clip: first.clip + 5 });
  await press(page, 'Home');
  const all = await state(page);
  expect([all.now, first.clip - all.clip]).toEqual([0, 240]);
  await press(page, 'End');
  expect((await state(page)).clip - all.clip).toBe(480);
  expect(await page.getAttribute('#handle', 'aria-valuetext')).toBe('100 % nearest');

  await press(page, '1');
  await press(page, 'Shift+4');
  expect(await state(page)).toMatchObject({
    alt: ['one, original', 'one, LR'],
    figures: ['96×96 pixels', '24×24 pixels'],
  });
  await press(page, '9'); // There is none.
  await press(page, 'x');
  expect((await state(page)).alt).toEqual(['one, LR', 'one, original']);

  await press(page, '+');
  await press(page, '+');
  await press(page, 'Shift+ArrowRight');
  const zoomed = await state(page);
  expect(zoomed).toMatchObject({ zoom: '800 %', now: 100 });
  expect(zoomed.transforms[0]).toMatch(/^translate\(.+\) scale\(8\)$/);
  expect(zoomed.transforms[1]).toBe(zoomed.transforms[0]);
  await press(page, '3');
  expect(await state(page)).toMatchObject({ alt: ['one, LR', 'one, bicubic'], transforms: zoomed.transforms });
  await press(page, 'n');
  expect(await state(page)).toMatchObject({ alt: ['two, LR', 'two, bicubic'], zoom: '800 %' });
  await press(page, 'p');
  expect((await state(page)).transforms).toEqual(zoomed.transforms);
  await press(page, '0');
  expect((await state(page)).zoom).toBe('500 %');
  expect(problems).toEqual([]);
  await context.close();
});

test('mouse: drags, the wheel and lists; pixels lie where they should', async ({ skip }) => {
  const { page, context, problems } = await opened(skip, { viewport: { width: 1280, height: 800 } });
  const { x, y, width, height } = (await page.locator('#stage').boundingBox())!;
  const drag = async (from: number, to: number, down = 0) => {
    await page.mouse.move(x + from, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + to, y + height / 2 + down, { steps: 4 });
    await page.mouse.up();
  };
  // By the handle, and where the picture fits by the picture.
  await drag(width / 2, width / 2 - 120);
  expect((await state(page)).now).toBe(25);
  await drag(width / 2 + 100, width / 2 + 216);
  expect((await state(page)).now).toBe(95);

  await page.selectOption('#picture', { label: 'two' });
  await page.selectOption('#left', { index: 3 });
  await settled(page);
  expect((await state(page)).alt).toEqual(['two, original', 'two, bicubic']);
  await page.click('#closer');
  const before = await state(page);
  expect(before.zoom).toBe('800 %');
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.wheel(0, -400);
  await expect.poll(async () => (await state(page)).zoom).toBe('1780 %');
  await page.click('#farther');
  expect(await state(page)).toMatchObject({ zoom: '1600 %', now: 95 });

  await drag(width / 2 - 40, width / 2 - 70, -2000);

  // The left side on the screen is the original, 16 by 16 for each of its pixels, from its lower edge.
  const [, tx, ty] = /^translate\((.+)px, (.+)px\) scale\(16\)$/.exec((await state(page)).transforms[0])!.map(Number);
  expect(ty).toBe(height - 2 - 64 * 16);
  const screen = toRgb(splitAlpha(await decode(await page.screenshot(), 'screenshot')).colour);
  const sample = ({ width, data }: Picture, px: number, py: number) => [
    ...data.subarray((py * width + px) * 3, (py * width + px) * 3 + 3),
  ];
  const [left, top] = [x + 1 + tx, y + 1 + ty];
  for (const [column, row] of [
    [20, 60],
    [30, 45],
    [41, 38],
  ])
    expect(sample(screen, Math.floor(left + column * 16 + 8), Math.floor(top + row * 16 + 8))).toEqual(
      sample(originals[1], column, row),
    );
  await page.mouse.dblclick(x + width / 2, y + 20);
  expect((await state(page)).zoom).toBe('700 %');

  await page.click('tbody button >> text=one');
  await settled(page);
  expect((await state(page)).alt).toEqual(['one, original', 'one, bicubic']);
  expect(await page.getAttribute('tbody button >> nth=0', 'aria-current')).toBe('true');
  expect(problems).toEqual([]);
  await context.close();
});

test('fingers on a phone: no wider than the screen, a drag of the boundary, a pinch; a crop is what it opens with', async ({
  skip,
}) => {
  const phone = { viewport: { width: 375, height: 740 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
  const { page, context, problems } = await opened(skip, phone, { x: 48, y: 0, width: 24, height: 24 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  const { x, y, width, height } = (await page.locator('#stage').boundingBox())!;
  const [, tx] = /^translate\((.+?)px, 0px\)/.exec((await state(page)).transforms[0])!.map(Number);
  // The middle of the crop, 60, is in the middle of the stage.
  expect(tx + (60 * 32) / 3).toBeCloseTo((width - 2) / 2, 0);
  expect(await state(page)).toMatchObject({ zoom: '3200 %', now: 50 });
  await page.tap('#fit');

  const session = await context.newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: number[][]) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([px, py], id) => ({ x: x + px, y: y + py, id })),
    });
  const middle = height / 2;
  await touch('touchStart', [width / 2, middle]);
  await touch('touchMove', [width / 2 - 30, middle]);
  await touch('touchMove', [1, middle]);
  await touch('touchEnd');
  await expect.poll(async () => (await state(page)).now).toBe(0);
  const fitting = Number.parseInt((await state(page)).zoom, 10);
  await touch('touchStart', [100, middle], [200, middle]);
  await touch('touchMove', [75, middle], [225, middle]);
  await touch('touchMove', [50, middle], [250, middle]);
  await touch('touchEnd');
  await expect.poll(async () => Number.parseInt((await state(page)).zoom, 10)).toBe(2 * fitting);
  expect((await state(page)).now).toBe(0);
  expect(problems).toEqual([]);
  await context.close();
});

test('other scripts do not run on the page, and what is printed are both versions beside each other', async ({
  skip,
}) => {
  const { page, context, problems } = await opened(skip, {
    viewport: { width: 700, height: 900 },
    colorScheme: 'dark',
  });
  await page.evaluate(`
    const script = document.createElement('script');
    script.textContent = 'document.title = "replaced"';
    document.body.append(script);`);
  expect(await page.title()).toBe('two – Daybreak');
  expect(problems.splice(0)).toEqual([expect.stringContaining('Content Security Policy')]);
  await press(page, '+');
  await page.emulateMedia({ media: 'print' });
  const boxes = await page.$$eval('.layer img', images => images.map(image => image.getBoundingClientRect().toJSON()));
  expect(boxes[0].right).toBeLessThan(boxes[1].left);
  for (const box of boxes) expect(box.width).toBeGreaterThan(300);
  expect(await page.isVisible('#handle')).toBe(false);
  expect(problems).toEqual([]);
  await context.close();
});

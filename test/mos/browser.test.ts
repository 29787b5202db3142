/** The opinion test in Chromium, from the welcome to the report, as raters and those who run it see it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode } from '../../image/codec.node.ts';
import { crop, splitAlpha, toRgb } from '../../image/picture.ts';
import { reportOf, writeMosReport } from '../../mos/report/report.node.ts';
import { LIMITS } from '../../mos/server/limits.ts';
import { serveStudy } from '../../mos/server/serve.node.ts';
import { openStudy, picturePath } from '../../mos/study-folder.node.ts';
import { readVotes } from '../../mos/votes.node.ts';
import { findChromium } from '../web/chromium.ts';
import { SECRETS, smallStudy } from './small-study.ts';

const path = findChromium();
const reason = 'no Chromium on the PATH: install one, or name it in DAYBREAK_CHROMIUM';
let browser: Browser | undefined;

beforeAll(async () => {
  // Its sandbox refuses to start as root and in most containers.
  if (path) browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
});
afterAll(async () => await browser?.close());

/** The page is still and shows a picture, and how far it is. */
async function shown(page: Page): Promise<string> {
  await page.waitForSelector('#desk:not([hidden]) #stage[aria-busy=false] img');
  return (await page.textContent('#count')) ?? '';
}

/** Does something, and waits for the picture after this one or for a page of text. */
async function onwards(page: Page, act: () => Promise<unknown>): Promise<void> {
  const before = await shown(page);
  await act();
  await expect
    .poll(async () => (await page.isVisible('#sheet')) || (await page.textContent('#count')) !== before, {
      timeout: 30_000,
    })
    .toBe(true);
  if (!(await page.isVisible('#sheet'))) await shown(page);
}

const press = (page: Page, score: number) => onwards(page, () => page.keyboard.press(String(score)));

async function begin(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Begin', exact: true }).click();
  expect(await shown(page)).toBe('Example 1 / 2');
}

/** How many samples on the screen, with `ratio` device pixels to one of CSS, differ from those of the picture's file. */
async function differing(page: Page, folder: string, ratio: number): Promise<number> {
  const id = /([0-9a-f]{32})/.exec((await page.getAttribute('#stage img', 'src')) ?? '')?.[1] ?? '';
  const wanted = toRgb(await decode(readFileSync(picturePath(folder, id)), id));
  const screen = toRgb(splitAlpha(await decode(await page.screenshot(), 'screenshot')).colour);
  const { x: left, y: top } = (await page.locator('#stage img').boundingBox())!;
  const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
  const seen = crop(screen, x, y, wanted.width, wanted.height).data;
  return wanted.data.filter((sample, i) => sample !== seen[i]).length;
}

test('two raters on two pages, by keyboard, mouse and touch, from the examples to the report', async ({ skip }) => {
  skip(!browser && !process.env.CI, reason);
  expect(browser, reason).toBeDefined();
  const open = await smallStudy();
  await using served = await serveStudy(open, {
    port: 0,
    limits: { ...LIMITS, votes: { perSecond: 100, burst: 100 } },
  });
  const desktop = await browser!.newContext({ viewport: { width: 1280, height: 800 } });
  const phone = await browser!.newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2.625, // A common one that is not whole.
    hasTouch: true,
    isMobile: true,
    colorScheme: 'dark',
  });
  const problems: string[] = [];
  const heard: string[] = [];
  for (const context of [desktop, phone]) {
    context.on('console', message => problems.push(message.text()));
    context.on('weberror', error => problems.push(error.error().message));
    context.on('response', async response => {
      heard.push(response.url(), JSON.stringify(await response.allHeaders()));
      if (!response.url().endsWith('.png')) heard.push(await response.text().catch(() => ''));
    });
  }
  const [one, two] = [await desktop.newPage(), await phone.newPage()];
  await begin(one, served.url);
  await begin(two, served.url);

  // Examples: only the score that is shown goes on.
  await one.keyboard.press('3');
  expect(await shown(one)).toBe('Example 1 / 2');
  for (const [page, ratio] of [
    [one, 1],
    [two, 2.625],
  ] as const) {
    await press(page, 1);
    await press(page, 5);
    expect(await shown(page)).toBe('1 / 7');
    expect(await differing(page, open.folder, ratio), `ratio ${ratio}`).toBe(0);
  }

  // Keyboard, mouse, touch.
  await press(one, 2);
  await onwards(one, () => one.click('#scale button[value="4"]'));
  await onwards(two, () => two.tap('#scale button[value="5"]'));
  expect([await shown(one), await shown(two)]).toEqual(['3 / 7', '2 / 7']);

  // A second tab of the first rater: the same picture is rated once.
  const tab = await desktop.newPage();
  await tab.goto(served.url);
  await tab.getByRole('button', { name: 'Continue', exact: true }).click();
  expect(await shown(tab)).toBe('3 / 7');
  await press(one, 1);
  await tab.keyboard.press('5');
  await tab.waitForSelector('#notice:has-text("rated already")');
  expect(await shown(tab)).toBe('4 / 7');
  await one.close();

  // Pause, and go on elsewhere.
  await tab.keyboard.press('Escape');
  await tab.getByRole('button', { name: 'Continue on another device', exact: true }).click();
  await tab.waitForSelector('#sheet-link:not([hidden])');
  const link = (await tab.textContent('#sheet-link')) ?? '';
  expect(link).toMatch(/\/#go-on=/);
  const elsewhere = await (await browser!.newContext({ deviceScaleFactor: 2 })).newPage();
  await elsewhere.goto(link);
  expect(await shown(elsewhere)).toBe('4 / 7');
  expect(elsewhere.url()).toBe(served.url);
  expect(await differing(elsewhere, open.folder, 2)).toBe(0);
  for (let place = 3; place < 7; place++) await press(elsewhere, 3);
  for (let place = 1; place < 7; place++) await press(two, 1 + (place % 5));
  for (const page of [elsewhere, two]) expect(await page.textContent('#sheet-title')).toBe('Thank you!');

  const { votes } = await readVotes(open);
  const scoresOf = (rater: number) => votes.filter(vote => vote.rater === rater).map(({ score }) => score);
  expect([scoresOf(1), scoresOf(2)]).toEqual([
    [2, 4, 1, 3, 3, 3, 3],
    [5, 2, 3, 4, 5, 1, 2],
  ]);
  const orderOf = (rater: number) => votes.filter(vote => vote.rater === rater).map(({ picture }) => picture);
  expect(orderOf(1)).not.toEqual(orderOf(2));
  // The refused vote of the second tab is the only thing that the console may mention.
  expect(problems.filter(problem => !problem.includes('409'))).toEqual([]);
  for (const secret of SECRETS) expect(heard.filter(text => text.toLowerCase().includes(secret))).toEqual([]);

  // The report, while the study is still served.
  const report = await writeMosReport(join(open.folder, 'report'), await reportOf(await openStudy(open.folder)));
  await elsewhere.goto(`file://${report}`);
  expect(await elsewhere.textContent('h1')).toBe('Mean opinion scores');
  expect(await elsewhere.$$eval('.figure svg', all => all.length)).toBe(2);
});

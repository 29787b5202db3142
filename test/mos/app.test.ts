/** What the server answers, without a network. */
import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AppOptions, createApp } from '../../mos/server/app.node.ts';
import { Buckets, LIMITS } from '../../mos/server/limits.ts';
import { picturePath } from '../../mos/study-folder.node.ts';
import { VoteStore } from '../../mos/votes.node.ts';
import { SECRETS, smallStudy } from './small-study.ts';

const HOST = 'http://127.0.0.1:8337';
const FAST = { ...LIMITS, votes: { perSecond: 1000, burst: 1000 } };

/** A site, and a browser: it keeps its cookies. */
async function site(options: AppOptions = {}) {
  const open = await smallStudy();
  const store = await VoteStore.open(open);
  onTestFinished(() => store[Symbol.dispose]());
  const app = createApp(open, store, { limits: FAST, ...options });
  const browser = () => {
    const cookies = new Map<string, string>();
    const send = async (path: string, request: RequestInit = {}) => {
      const headers = new Headers(request.headers);
      if (cookies.size > 0) headers.set('Cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
      const response = await app.request(path.startsWith('http') ? path : `${HOST}${path}`, { ...request, headers });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
        cookies.set(name, value);
      }
      return response;
    };
    const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
      send(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    return { send, post };
  };
  return { open, store, browser, ...browser() };
}

/** What an answer may say. */
interface Answer {
  readonly error: string;
  readonly code: string;
  readonly picture: { readonly id: string };
}

const answerOf = async (response: Response) => (await response.json()) as Answer;

const key = (i: number) => `${i}`.padStart(16, '0');

/** Begins, and looks at the examples. */
async function begin(post: Awaited<ReturnType<typeof site>>['post']) {
  await post('/api/raters', {});
  await post('/api/examples', { place: 0 });
  await post('/api/examples', { place: 1 });
}

test('a rater gets from the welcome to the end, and hears no names', async () => {
  const { send, post, store, open } = await site();
  const heard: string[] = [];
  const note = async (response: Response) => {
    heard.push(JSON.stringify([...response.headers]), await response.clone().text());
    return await answerOf(response);
  };
  expect(await note(await send('/api/state'))).toEqual({ stage: 'welcome', examples: 2, total: 7 });
  expect(await note(await post('/api/raters', {}))).toMatchObject({
    stage: 'examples',
    rater: 1,
    place: 0,
    total: 2,
    score: 1,
  });
  expect(await note(await post('/api/examples', { place: 0 }))).toMatchObject({
    stage: 'examples',
    place: 1,
    score: 5,
  });
  let state = await note(await post('/api/examples', { place: 1 }));
  for (let place = 0; place < 7; place++) {
    expect(state).toMatchObject({ stage: 'rating', place, total: 7 });
    const picture = await send(`/pictures/${state.picture.id}.png`);
    expect([picture.status, picture.headers.get('Content-Type')]).toEqual([200, 'image/png']);
    heard.push(JSON.stringify([...picture.headers]));
    state = await note(await post('/api/votes', { place, score: 1 + (place % 5), key: key(place) }));
  }
  expect(state).toEqual({ stage: 'done', rater: 1, total: 7 });
  for (const path of ['/', '/page.mjs', '/style.css']) heard.push(await (await send(path)).text());
  for (const secret of [...SECRETS, ...open.study.sets.map(({ name }) => name)])
    for (const text of heard) expect(text.toLowerCase()).not.toContain(secret);
  expect(store.read().votes.map(({ score }) => score)).toEqual([1, 2, 3, 4, 5, 1, 2]);
});

test('the headers are those of a careful site, on every answer', async () => {
  const { send, post } = await site();
  for (const path of ['/', '/page.mjs', '/api/state', '/nowhere', '/pictures/x.png']) {
    const { headers } = await send(path);
    const policy = headers.get('Content-Security-Policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  }
  const [cookie] = (await post('/api/raters', {})).headers.getSetCookie();
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Strict/);
  const page = await (await send('/')).text();
  expect(page).not.toMatch(/<script(?![^>]*src="\/)|<style|style="|\son\w+="|https?:/);
});

describe('bad requests are refused, and change nothing', () => {
  test.each([
    ['a score of 7', { place: 0, score: 7, key: key(1) }, 400, /^score: /],
    ['a score of 3.5', { place: 0, score: 3.5, key: key(1) }, 400, /^score: /],
    ['a score as text', { place: 0, score: '3', key: key(1) }, 400, /^score: /],
    ['no key', { place: 0, score: 3 }, 400, /^key: /],
    ['more than was asked', { place: 0, score: 3, key: key(1), rater: 2 }, 400, /Unrecognized key/],
    ['a place that is not the next', { place: 5, score: 3, key: key(1) }, 409, /picture 6 is not the next/],
    ['a negative place', { place: -1, score: 3, key: key(1) }, 400, /^place: /],
    ['no JSON', '{"place":', 400, /expected JSON/],
    ['a body that is too large', { place: 0, score: 3, key: 'k'.repeat(5000) }, 413, /at most 1024 bytes/],
  ])('%s', async (_, body, status, message) => {
    const { post, store } = await site();
    await begin(post);
    const response = await post('/api/votes', body);
    expect([response.status, (await answerOf(response)).error]).toEqual([status, expect.stringMatching(message)]);
    expect(store.read().votes).toEqual([]);
  });

  test('of other kinds, sites and hosts', async () => {
    const { send, post } = await site();
    const vote = { place: 0, score: 3, key: key(1) };
    const statuses = [
      await post('/api/votes', vote),
      await post('/api/raters', {}, { 'Content-Type': 'text/plain' }),
      await post('/api/raters', {}, { Origin: 'https://elsewhere.example' }),
      await post('/api/raters', {}, { 'Sec-Fetch-Site': 'cross-site' }),
      await send('http://rebound.example:8337/api/state'),
      await post('/api/redeem', { code: 'c'.repeat(24) }),
      await send('/api/votes'),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 415, 403, 403, 403, 409, 404]);
  });

  test.each([
    '../study.json',
    '..%2fstudy.json',
    '%2e%2e/study.json',
    'x.png',
    `${'0'.repeat(32)}.png`,
    '__proto__.png',
  ])('a picture called %s', async name => {
    const { send, post } = await site();
    expect((await send(`/pictures/${name}`)).status).toBeOneOf([401, 404]);
    await post('/api/raters', {});
    const response = await send(`/pictures/${name}`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('version');
  });
});

test('a vote twice, two tabs, and a second rater in one browser', async () => {
  const { post, store } = await site();
  await begin(post);
  const vote = { place: 0, score: 3, key: key(1) };
  expect((await post('/api/votes', vote)).status).toBe(201);
  // Sent again, since its answer was lost: no second vote.
  expect((await post('/api/votes', vote)).status).toBe(201);
  const other = await post('/api/votes', { place: 0, score: 5, key: key(2) });
  expect([other.status, (await answerOf(other)).error]).toEqual([
    409,
    'picture 1 is rated already, in another tab or earlier',
  ]);
  const again = await post('/api/raters', {});
  expect([again.status, (await answerOf(again)).error]).toEqual([409, 'this browser belongs to rater 1']);
  expect(await (await post('/api/raters', { fresh: true })).json()).toMatchObject({ rater: 2, stage: 'examples' });
  expect(store.read().votes).toMatchObject([{ rater: 1, score: 3 }]);
});

test('a personal link works once, and ends the session it comes from', async () => {
  const { post, browser } = await site();
  await begin(post);
  const { code } = await answerOf(await post('/api/handover', {}));
  const [there, third] = [browser(), browser()];
  expect(await (await there.post('/api/redeem', { code })).json()).toMatchObject({ rater: 1, stage: 'rating' });
  const late = await third.post('/api/redeem', { code });
  expect([late.status, (await answerOf(late)).error]).toEqual([
    409,
    'this link was used already or replaced by a newer one',
  ]);
  expect((await post('/api/votes', { place: 0, score: 3, key: key(1) })).status).toBe(401);
  expect((await there.post('/api/votes', { place: 0, score: 3, key: key(1) })).status).toBe(201);
});

test('with a token, nothing opens without the link, which then disappears from the address', async () => {
  const { send, post, browser } = await site({ token: 'secret-token' });
  for (const path of ['/', '/page.mjs', '/api/state']) expect((await send(path)).status).toBe(403);
  expect((await post('/api/raters', {})).status).toBe(403);
  expect((await send('/?token=guessed')).status).toBe(403);
  const opened = await send('/?token=secret-token');
  expect([opened.status, opened.headers.get('Location')]).toEqual([303, '/']);
  expect((await send('/')).status).toBe(200);
  expect((await post('/api/raters', {})).status).toBe(201);
  expect((await browser().send('/')).status).toBe(403);
});

test('raters that vote faster than anyone can look, and floods of raters, are slowed down', async () => {
  const { post, browser } = await site({
    limits: { ...LIMITS, votes: { perSecond: 0.001, burst: 7 }, joins: { perSecond: 0.1, burst: 2 } },
  });
  await begin(post);
  const statuses = [];
  for (let place = 0; place < 10; place++) {
    statuses.push(
      (await post('/api/votes', { place: Math.min(place, 6), score: 3, key: key(Math.min(place, 6)) })).status,
    );
  }
  expect(statuses.slice(0, 7)).toEqual(Array(7).fill(201));
  expect(statuses).toContain(429);
  const joined = await Promise.all([1, 2, 3].map(async () => await browser().post('/api/raters', {})));
  expect(joined.map(({ status }) => status)).toEqual([201, 429, 429]);
  expect(Number(joined[1].headers.get('Retry-After'))).toBeGreaterThan(0);
});

test('buckets fill at their rate, up to their burst', () => {
  let time = 0;
  const buckets = new Buckets({ perSecond: 2, burst: 3 }, () => time);
  expect([1, 2, 3, 4].map(() => buckets.take('a') === 0)).toEqual([true, true, true, false]);
  expect(buckets.take('b')).toBe(0);
  time = 500;
  expect([buckets.take('a'), buckets.take('a') > 0]).toEqual([0, true]);
  time = 100_000;
  expect([1, 2, 3, 4].map(() => buckets.take('a') === 0)).toEqual([true, true, true, false]);
});

test('a picture that changes while it is served is not shown', async () => {
  const lines: string[] = [];
  const { send, post, open } = await site({ onError: line => lines.push(line) });
  const { picture } = await answerOf(await post('/api/raters', {}));
  writeFileSync(picturePath(open.folder, picture.id), 'other');
  const response = await send(`/pictures/${picture.id}.png`);
  expect([response.status, (await answerOf(response)).error]).toEqual([
    503,
    'a picture of this study was changed: please tell those who run the study',
  ]);
  expect(lines).toEqual([expect.stringContaining('changed since the study was prepared')]);
});

/** The server's answers: the raters' page, their pictures and their votes. */

import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { secureHeaders } from 'hono/secure-headers';
import { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import { sha256Of } from '../../files/digest.node.ts';
import { RefusedError, StudyError } from '../errors.ts';
import { type OpenStudy, readStudyPicture } from '../study-folder.node.ts';
import type { VoteStore } from '../votes.node.ts';
import { Buckets, LIMITS, type Limits, MOST_BYTES } from './limits.ts';
import { States } from './state.ts';

/** Set by the adapter for Node. */
interface Bindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

type Site = Hono<{ Bindings: Bindings }>;
type Request = Context<{ Bindings: Bindings }>;

export interface AppOptions {
  /** Visitors need a link with this token. Undefined: only this machine can connect. */
  readonly token?: string | undefined;
  readonly limits?: Limits;
  /** Hears one line for each unexpected error. */
  readonly onError?: (line: string) => void;
}

/** The files of the page, by path. */
const PAGE: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.mjs': ['page.mjs', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

const SELF = ["'self'"];
const NONE = ["'none'"];

/** Everything comes from this server, nothing is inline, and no other site can frame the page. */
const HEADERS = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: NONE,
    scriptSrc: SELF,
    styleSrc: SELF,
    imgSrc: SELF,
    connectSrc: SELF,
    baseUri: NONE,
    formAction: NONE,
    frameAncestors: NONE,
    requireTrustedTypesFor: ["'script'"],
  },
  crossOriginEmbedderPolicy: 'require-corp',
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
  strictTransportSecurity: false, // A proxy with TLS adds it.
  permissionsPolicy: { camera: [], microphone: [], geolocation: [], usb: [], payment: [] },
});

const voteBody = z.strictObject({
  place: z.int().nonnegative(),
  score: z.literal([1, 2, 3, 4, 5]),
  key: z.string().regex(/^[\w-]{16,64}$/),
});
const placeBody = z.strictObject({ place: z.int().nonnegative() });
const joinBody = z.strictObject({ fresh: z.boolean().optional() });
const redeemBody = z.strictObject({ code: z.string().regex(/^[\w-]{16,64}$/) });

/** A refusal with its status. */
class HttpError extends Error {
  readonly status: 400 | 401 | 403 | 404 | 409 | 415 | 429;
  readonly retryAfter: number | undefined;
  constructor(status: HttpError['status'], message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Half a year, in seconds. */
const COOKIE_AGE = 180 * 86_400;

/** The site of one study. */
export function createApp(open: OpenStudy, store: VoteStore, options: AppOptions = {}): Site {
  const { study, folder } = open;
  const { token, limits = LIMITS, onError = () => {} } = options;
  const states = new States(study);
  const [requests, joins, votes] = [limits.requests, limits.joins, limits.votes].map(rate => new Buckets(rate));
  // Cookies are shared by all ports of a host, and with them by all studies.
  const names = { session: `rater-${study.id}`, access: `access-${study.id}` };
  const app: Site = new Hono();

  const sessionOf = (c: Request) => getCookie(c, names.session) ?? '';
  const start = (c: Request, secret: string) => setCookie(c, names.session, secret, { ...COOKIE, maxAge: COOKIE_AGE });
  const raterOf = (c: Request) => {
    const secret = sessionOf(c);
    const rater = secret === '' ? undefined : store.find(secret);
    if (!rater) throw new HttpError(401, 'no rater in this browser: begin first, or go on where you began');
    return { secret, rater };
  };

  app.use(HEADERS);
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  app.use(async (c, next) => {
    limit(requests, addressOf(c));
    if (token === undefined) refuseOtherHosts(c);
    await next();
  });
  app.use(async (c, next) => {
    if (token === undefined) return await next();
    const given = c.req.query('token');
    if (given !== undefined && c.req.method === 'GET') {
      if (!isSame(given, token)) throw new HttpError(403, 'this link is not valid (any more): ask for the present one');
      setCookie(c, names.access, given, COOKIE);
      return c.redirect('/', 303); // The address bar and the history then do not show the token.
    }
    // A rater stays one when the server is started again with another token.
    const isKnown = isSame(getCookie(c, names.access) ?? '', token) || store.find(sessionOf(c)) !== undefined;
    if (!isKnown) throw new HttpError(403, 'this page opens with the link that you were given');
    return await next();
  });
  app.use(async (c, next) => {
    if (c.req.method === 'POST') refuseOtherSites(c);
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: MOST_BYTES,
      onError: c => c.json({ error: `expected a body of at most ${MOST_BYTES} bytes` }, 413),
    }),
  );

  for (const [path, [file, type]] of Object.entries(PAGE)) {
    const content = readFileSync(join(import.meta.dirname, '../page', file), 'utf8');
    app.get(path, c => c.body(content, 200, { 'Content-Type': type }));
  }
  app.get('/pictures/:name', async c => {
    raterOf(c);
    const id = /^([0-9a-f]{32})\.png$/.exec(c.req.param('name'))?.[1] ?? '';
    if (!Object.hasOwn(study.files, id)) throw new HttpError(404, 'no such picture');
    const bytes = await readStudyPicture(folder, study, id);
    return c.body(new Uint8Array(bytes), 200, { 'Content-Type': 'image/png' });
  });
  app.get('/api/state', c => c.json(states.of(store.find(sessionOf(c)))));
  app.post('/api/raters', async c => {
    const { fresh = false } = await bodyOf(c, joinBody);
    const present = store.find(sessionOf(c));
    if (present && !fresh) throw new HttpError(409, `this browser belongs to rater ${present.number}`);
    limit(joins, addressOf(c));
    const { rater, secret } = store.join();
    start(c, secret);
    return c.json(states.of(rater), 201);
  });
  app.post('/api/examples', async c => {
    const { place } = await bodyOf(c, placeBody);
    return c.json(states.of(store.see(raterOf(c).secret, place)));
  });
  app.post('/api/votes', async c => {
    const { place, score, key } = await bodyOf(c, voteBody);
    const { secret, rater } = raterOf(c);
    limit(votes, String(rater.number));
    return c.json(states.of(store.vote(secret, place, score, key)), 201);
  });
  app.post('/api/handover', async c => {
    await bodyOf(c, z.strictObject({}));
    return c.json({ code: store.offerHandover(raterOf(c).secret) }, 201);
  });
  app.post('/api/redeem', async c => {
    const { code } = await bodyOf(c, redeemBody);
    limit(joins, addressOf(c));
    const { rater, secret } = store.redeem(code);
    start(c, secret);
    return c.json(states.of(rater));
  });

  app.notFound(c => c.json({ error: 'there is nothing here' }, 404));
  app.onError((error, c) => {
    if (error instanceof HttpError) {
      if (error.retryAfter !== undefined) c.header('Retry-After', String(error.retryAfter));
      return c.json({ error: error.message }, error.status);
    }
    if (error instanceof RefusedError) return c.json({ error: error.message }, error.kind === 'invalid' ? 400 : 409);
    onError(`${c.req.method} ${c.req.path.replace(/[0-9a-f]{32}/, 'ID')}: ${messageOf(error)}`);
    const what = error instanceof StudyError ? 'a picture of this study was changed' : 'that could not be stored';
    return c.json({ error: `${what}: please tell those who run the study` }, 503);
  });
  return app;
}

/** No script can read a cookie of ours, and no other site can use one. */
const COOKIE = { httpOnly: true, sameSite: 'Strict', path: '/' } as const;

const addressOf = (c: Request) => c.env?.incoming?.socket?.remoteAddress ?? 'unknown';

function limit(buckets: Buckets, key: string): void {
  const wait = buckets.take(key);
  if (wait > 0) throw new HttpError(429, `too many requests: try again in ${wait} s`, wait);
}

/** Without a token, a name that leads here is no permission: DNS rebinding makes other sites' names do that. */
function refuseOtherHosts(c: Request): void {
  const { hostname } = new URL(c.req.url);
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    throw new HttpError(403, `${hostname} is not this server: expected 127.0.0.1 or localhost`);
  }
}

function refuseOtherSites(c: Request): void {
  const type = c.req.header('Content-Type')?.split(';')[0].trim();
  if (type !== 'application/json') throw new HttpError(415, `expected application/json, got ${type ?? 'no type'}`);
  const site = c.req.header('Sec-Fetch-Site');
  const origin = c.req.header('Origin');
  // A proxy with TLS changes the scheme, so that only the hosts can be compared.
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host);
  if ((site !== undefined && site !== 'same-origin') || !isOwn) throw new HttpError(403, 'a request of another site');
}

async function bodyOf<T>(c: Request, schema: z.ZodType<T>): Promise<T> {
  const value: unknown = await c.req.json().catch(() => {
    throw new HttpError(400, 'expected JSON');
  });
  const { data, error } = schema.safeParse(value);
  if (!error) return data as T;
  const [issue] = error.issues;
  throw new HttpError(400, `${issue.path.join('.') || 'body'}: ${issue.message}`);
}

/** Compares secrets in a time that does not depend on their first difference. */
const isSame = (a: string, b: string) => timingSafeEqual(Buffer.from(sha256Of(a)), Buffer.from(sha256Of(b)));

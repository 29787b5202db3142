/** Serves a study to raters. */

import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { StudyError } from '../errors.ts';
import type { OpenStudy } from '../study-folder.node.ts';
import { VoteStore } from '../votes.node.ts';
import { type AppOptions, createApp } from './app.node.ts';

export interface ServeOptions extends Pick<AppOptions, 'limits' | 'onError'> {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
}

/** A study that is being served. */
export interface Served extends AsyncDisposable {
  /** The link for raters, with the token if there is one. */
  readonly url: string;
  readonly hasToken: boolean;
  readonly store: VoteStore;
}

const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|::1)$/.test(host);

/**
 * Opens the votes of a study and listens. An address that other machines can reach gets a new token at each start;
 * raters who began before stay raters.
 * @throws StudyError if another process serves the study, or nothing can listen at the address.
 */
export async function serveStudy(open: OpenStudy, options: ServeOptions): Promise<Served> {
  const { host = '127.0.0.1', port, limits, onError } = options;
  const token = isLoopback(host) ? undefined : randomBytes(18).toString('base64url');
  const store = await VoteStore.open(open);
  try {
    const app = createApp(open, store, { token, ...(limits && { limits }), ...(onError && { onError }) });
    const server = await listen(app.fetch, host, port);
    const { address, port: chosen, family } = server.address() as AddressInfo;
    const name = host === 'localhost' ? host : family === 'IPv6' ? `[${address}]` : address;
    return {
      url: `http://${name}:${chosen}/${token === undefined ? '' : `?token=${token}`}`,
      hasToken: token !== undefined,
      store,
      async [Symbol.asyncDispose]() {
        await new Promise<void>(done => {
          server.close(() => done());
          server.closeIdleConnections();
          // Requests take milliseconds; what is left after a second has no more to say.
          setTimeout(() => server.closeAllConnections(), 1000).unref();
        });
        store[Symbol.dispose]();
      },
    };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

/** Slow and idle clients are cut off. Milliseconds. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 5_000 };

async function listen(fetch: Parameters<typeof serve>[0]['fetch'], hostname: string, port: number): Promise<Server> {
  const server = serve({ fetch, hostname, port, serverOptions: { ...TIMES, maxHeaderSize: 8192 } }) as Server;
  server.maxConnections = 1000;
  await new Promise<void>((done, fail) => {
    server.once('listening', done);
    server.once('error', fail);
  }).catch(error => {
    const reason = codeOf(error) === 'EADDRINUSE' ? 'another program uses this port' : reasonOf(error);
    throw new StudyError(`${hostname}:${port}`, `cannot listen: ${reason}`, { cause: error });
  });
  return server;
}

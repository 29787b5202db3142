/** A thread that takes part in passes, one after the other. */
import { parentPort } from 'node:worker_threads';
import { LUMA_METHODS } from './list.ts';
import type { Pass } from './passes.ts';
import { type SharedPass, workOnPart } from './shared-pass.ts';

const port = parentPort;
if (port) {
  /** Asks for a pass: at the start, and when no part of one is left. */
  const ready = () => port.postMessage('ready');
  const passes = new Map<string, Pass<never>>();
  for (const method of LUMA_METHODS) for (const pass of method.passes) passes.set(pass.name, pass);
  port.on('message', (shared: SharedPass) => {
    const pass = passes.get(shared.pass);
    if (!pass) throw new Error(`no pass is called ${shared.pass}`);
    while (workOnPart(pass as Pass<object>, shared));
    ready();
  });
  ready();
}

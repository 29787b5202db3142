/** The other engines themselves, where they are installed: they do the same work as Daybreak, and their files type-check. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compareResults, solve } from '../../bench/peers/agreement.ts';
import { PeerProcess } from '../../bench/peers/peer-process.ts';
import { findPeers } from '../../bench/peers/roster.ts';
import { packagesInstalled } from '../../scripts/setup/packages.mjs';

const FOLDER = fileURLToPath(new URL('../../bench/peers', import.meta.url));
const installed = packagesInstalled(FOLDER);
if (!installed) console.log('skipped: bench/peers is not installed (`npm run bench -- peers` does it)');

test('all that can be had agree with Daybreak', async () => {
  const peers = installed ? (['tfjs', 'jax', 'ort', 'torch'] as const) : (['torch'] as const);
  const { launches, missing } = findPeers({ peers, software: true, say: console.log });
  for (const line of missing) console.log(`skipped: ${line}`);
  const [daybreak, ...others] = launches;
  await using ours = await PeerProcess.start(daybreak.impl, daybreak.command);
  const expected = await solve(ours);
  for (const { impl, command } of others) {
    await using peer = await PeerProcess.start(impl, command);
    const results = await solve(peer);
    expect([...results.keys()]).toEqual(peer.greeting.passes);
    expect(compareResults(impl, results, expected)).toBeLessThan(1e-5);
  }
});

test.runIf(installed)('types', () => {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

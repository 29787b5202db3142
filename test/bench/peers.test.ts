/** The comparison with other engines, without them: Daybreak's own peer, stand-ins for the others, and the arithmetic. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareResults, difference, solve, TRAINING } from '../../bench/peers/agreement.ts';
import { add } from '../../bench/peers/command.ts';
import { compare } from '../../bench/peers/comparison.ts';
import { PeerError, PeerProcess } from '../../bench/peers/peer-process.ts';
import { decode, encode, ranSchema } from '../../bench/peers/protocol.ts';
import { DAYBREAK, findPeers } from '../../bench/peers/roster.ts';
import { comparisonSection, ratioOf, ratioTable } from '../../bench/peers/tables.ts';
import {
  type Arrays,
  CLASSIFYING,
  CONVOLUTIONS,
  flops,
  inputsOf,
  parametersOf,
  TRAININGS,
  type Work,
  workName,
} from '../../bench/peers/works.ts';
import type { Row } from '../../bench/rows.ts';
import { exitCodeOf } from '../../cli/failures.ts';
import { srresnet } from '../../models/srresnet.ts';
import { sharedDevice } from '../device.ts';

const TINY: Work = { kind: 'convolution', batch: 1, inputs: 4, height: 6, width: 5, outputs: 8 };

/** A peer that takes 2 ms a repetition (4 ms when it waits natively) and fails after `runs` runs, if that is given. */
const standIn = (name: string, runs = Number.POSITIVE_INFINITY) =>
  PeerProcess.start(name, [
    process.execPath,
    '-e',
    `const say = reply => console.log('@reply ' + JSON.stringify(reply));
    console.log('a library says hello');
    say({ version: '1', adapter: 'none', software: true, passes: ['forward'] });
    let runs = 0;
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      const { do: what, repeats, wait } = JSON.parse(line);
      if (what !== 'run') return say({});
      if (runs++ >= ${runs}) { console.error('out of luck'); process.exit(3); }
      const ms = repeats * (wait === 'native' ? 4 : 2);
      say({ ms, cpuMs: 2 * ms, calls: null, idleMs: 1, idleCpuMs: 1 });
    });`,
  ]);

describe('a peer of Daybreak’s own', () => {
  let peer: PeerProcess;
  beforeAll(async () => {
    // By rule: what somebody has tuned here is none of the test's.
    peer = await PeerProcess.start(DAYBREAK.impl, [...DAYBREAK.command, '--no-tuned']);
  });
  afterAll(async () => {
    await peer[Symbol.asyncDispose]();
  });

  test('says who it is', () => {
    expect(peer.greeting.passes).toEqual(['forward', 'forward+grads', 'step']);
    expect(peer.greeting.adapter).not.toBe('');
  });

  test('repeats what was prepared, and tells time and calls', async () => {
    await peer.ask({ do: 'prepare', work: TINY, pass: 'forward' });
    await peer.ask({ do: 'run', repeats: 1, flight: 1, wait: 'quiet' }, ranSchema);
    const ran = await peer.ask({ do: 'run', repeats: 5, flight: 2, wait: 'quiet' }, ranSchema);
    expect(ran.calls).toEqual({ dispatches: 5, submits: 5, buffers: 0 });
    expect(ran.cpuMs).toBeGreaterThan(0);
    await peer.ask({ do: 'release' });
    await expect(peer.ask({ do: 'run', repeats: 1, flight: 1, wait: 'quiet' })).rejects.toThrow(
      new PeerError('daybreak', 'nothing is prepared'),
    );
  });

  test('trains, waited for in both ways', async () => {
    // The network of the small problems, whose kernels are compiled once.
    await peer.ask({ do: 'prepare', work: TRAINING, pass: 'step' });
    for (const wait of ['quiet', 'native'] as const) {
      const { calls } = await peer.ask({ do: 'run', repeats: 2, flight: 1, wait }, ranSchema);
      expect(calls!.dispatches).toBeGreaterThan(20);
    }
    await peer.ask({ do: 'release' });
  });

  test('solves the small problems; a result that is off is found', async () => {
    const results = await solve(peer);
    expect(compareResults('a twin', results, results)).toBe(0);
    const updates = [...results].filter(([name]) => name.startsWith('step of'));
    expect(updates).toHaveLength(2);
    for (const [name, { losses }] of updates) {
      expect(losses.data, name).toHaveLength(3);
      // Far more than the tolerance: a step that did not train would be found out.
      expect(1 - losses.data[2] / losses.data[0], name).toBeGreaterThan(0.01);
    }
    const [name, { y, dx, dweight }] = [...results].find(([name]) => name.startsWith('forward+grads of'))!;
    const off = new Map<string, Arrays>([
      ...results,
      [name, { y, dweight, dx: { ...dx, data: dx.data.map(v => v * 1.001) } }],
    ]);
    expect(() => compareResults('a liar', off, results)).toThrow(
      /^a liar: dx of forward\+grads of conv .* differs by 1\.0e-3/,
    );
  });

  test('is compared; who fails is left out, and the others are measured', async () => {
    await using other = await standIn('steady');
    await using failing = await standIn('unlucky', 3);
    const said: string[] = [];
    const rows = await compare({ work: TINY, pass: 'forward' }, [peer, other, failing], {
      samples: 3,
      nativeSamples: 2,
      sampleMs: 5,
      flight: 1,
      say: line => said.push(line),
    });
    expect(rows.map(({ impl, note, samples }) => [impl, note, samples])).toEqual([
      ['daybreak', 'quiet waiting', 3],
      ['steady', 'quiet waiting', 3],
      ['daybreak', 'native waiting', 2],
      ['steady', 'native waiting', 2],
    ]);
    expect(rows[1]).toMatchObject({ work: 'conv 3x3 4>8, 1x4x6x5', ms: 2, cpu_ms: 4 });
    expect(rows[3]).toMatchObject({ ms: 4, cpu_ms: 8 });
    expect(rows[0].dispatches).toBe(1);
    expect(said).toEqual(['  skipped: unlucky: ended with exit code 3: a library says hello / out of luck']);
  });
});

describe('a peer that cannot start', () => {
  test('says why', async () => {
    const start = PeerProcess.start('broken', [
      process.execPath,
      '-e',
      'console.error("no such library"); process.exit(7)',
    ]);
    await expect(start).rejects.toThrow(new PeerError('broken', 'ended with exit code 7: no such library'));
  });

  test('has no program', async () => {
    await expect(PeerProcess.start('absent', ['/nowhere/python3'])).rejects.toThrow(/^absent: .*ENOENT/);
  });

  test('is named, and the rest goes on', () => {
    const say = () => {};
    expect(findPeers({ peers: [], software: true, say })).toEqual({ launches: [DAYBREAK], missing: [] });
    const [untuned] = findPeers({ peers: [], software: true, tuned: false, say }).launches;
    expect(untuned.command).toEqual([...DAYBREAK.command, '--no-tuned']);
    const { launches, missing } = findPeers({ peers: ['torch'], python: '/nowhere/python3', software: true, say });
    expect(launches).toEqual([DAYBREAK]);
    expect(missing).toEqual(['pytorch: /nowhere/python3: no torch (--python FILE names another)']);
  });
});

describe('the work', () => {
  sharedDevice();

  test('is counted in multiply-adds, twice', () => {
    expect(flops(CONVOLUTIONS[0], 'forward')).toBe(2 * 16 * 24 * 24 * 64 * 64 * 9);
    expect(flops(CONVOLUTIONS[0], 'forward+grads')).toBe(3 * flops(CONVOLUTIONS[0], 'forward'));
    expect(flops(TRAININGS.small, 'step') / 1e9).toBeCloseTo(2.4, 1);
    // He et al.'s network for 32×32 is 16 times as large: 0.56 GFLOP (multiply-adds) a picture.
    expect(flops(CLASSIFYING, 'step') / 1e9).toBeCloseTo(3.4, 1);
    expect(CONVOLUTIONS.map(workName)).toEqual([
      'conv 3x3 64>64, 16x64x24x24',
      'conv 3x3 64>256, 4x64x48x48',
      'conv 3x3 128>128, 16x128x48x48',
      'conv 3x3 64>64, 1x64x96x96',
    ]);
  });

  test('is done by the network that Daybreak trains', () => {
    using net = srresnet({ blocks: 2, channels: 8 });
    const ours = net.namedParameters().map(([name, { shape }]) => ({ name, shape: [...shape] }));
    expect(parametersOf({ blocks: 2, channels: 8 }).map(({ name, shape }) => ({ name, shape }))).toEqual(ours);
  });

  test('is the same for all: inputs arrive as they were sent', () => {
    const inputs = inputsOf(TINY);
    expect(decode(JSON.parse(JSON.stringify(encode(inputs))))).toEqual(inputs);
    expect(inputsOf(TINY)).toEqual(inputs);
    expect(Math.max(...inputs.x.data)).toBeGreaterThan(0.9);
  });
});

test('differences are relative to the largest number, and NaN is one', () => {
  const array = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
  expect(difference(array(1, 2, 4), array(1, 2, 4))).toBe(0);
  expect(difference(array(1, 3, 4), array(1, 2, 4))).toBe(0.25);
  expect(difference(array(1, Number.NaN, 4), array(1, 2, 4))).toBe(Number.POSITIVE_INFINITY);
  expect(difference(array(1, 2), array(1, 2, 4))).toBe(Number.POSITIVE_INFINITY);
});

describe('the tables', () => {
  const row = (impl: string, ms: number, cpu_ms: number, note: string): Row => ({
    work: 'w',
    pass: 'forward',
    impl,
    ms,
    cpu_ms,
    gflops: 1,
    samples: 5,
    note,
  });
  const rows = [
    row('daybreak', 10, 20, 'quiet waiting'),
    row('tfjs', 90, 240, 'quiet waiting, 4 of 5 samples in the time given'),
    row('pytorch', 5, 10, 'quiet waiting'),
    row('daybreak', 20, 20, 'native waiting'),
    row('tfjs', 180, 600, 'native waiting'),
  ];

  test('say how many times Daybreak’s time a peer takes, waited for in the same way', () => {
    expect(rows.map(each => ratioOf(each, rows))).toEqual([
      { wall: 1, cpu: 1 },
      { wall: 9, cpu: 12 },
      { wall: 0.5, cpu: 0.5 },
      { wall: 1, cpu: 1 },
      { wall: 9, cpu: 30 },
    ]);
    expect(ratioOf(row('tfjs', 1, 1, 'quiet waiting'), [])).toBeUndefined();
    expect(ratioTable(rows.slice(0, 3))).toBe(
      [
        '| work | pass    | daybreak, ms |        tfjs |       pytorch |',
        '| ---- | ------- | -----------: | ----------: | ------------: |',
        '| w    | forward |  10.0 / 20.0 | 9.00 / 12.0 | 0.500 / 0.500 |',
      ].join('\n'),
    );
  });

  test('name who took part and who did not, in two parts', () => {
    const text = comparisonSection(rows, ['daybreak 1', 'tfjs 4'], ['jax-js: not there']);
    expect(text).toContain('- tfjs 4\n- not measured: jax-js: not there\n');
    const [, quiet, native] = text.split(/\*\*(?:Quiet waiting|As users of each peer)/);
    expect(quiet).toContain('9.00 / 12.0');
    expect(native).toContain('9.00 / 30.0');
    expect(native).not.toContain('pytorch');
    expect(comparisonSection(rows.slice(0, 3), [], [])).not.toContain('As users of each peer');
  });
});

describe('the command', () => {
  const parse = (line: string): Record<string, unknown> => {
    const program = new Command('bench');
    add(program);
    const command = program.commands[0];
    command
      .exitOverride()
      .configureOutput({ writeOut: () => {}, writeErr: () => {} })
      .action(() => {});
    // As a shell splits words, quotes included.
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    program.parse(words, { from: 'user' });
    return command.opts();
  };
  const readme = readFileSync(new URL('../../bench/peers/README.md', import.meta.url), 'utf8');
  const lines = [...readme.matchAll(/^npm run bench -- (.*)$/gm)].map(([, line]) => line);

  test.each(lines)('of the README: %s', line => {
    if (line.endsWith('--help')) expect(() => parse(line)).toThrow('outputHelp');
    else expect(parse(line)).toMatchObject({ samples: 5, nativeSamples: 3 });
  });

  test('knows its peers', () => {
    expect(lines.length).toBeGreaterThan(3);
    expect(parse('peers --peers jax,torch').peers).toEqual(['jax', 'torch']);
    expect(() => parse('peers --peers jax,numpy')).toThrow('no peer "numpy"');
    expect(() => parse('peers --step tiny')).toThrow('small or full');
  });

  test('starts nobody where there is nothing to do', async () => {
    const program = new Command('bench').exitOverride();
    add(program);
    const run = program.parseAsync(['peers', '--only', 'nothing like this'], { from: 'user' });
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    expect([exitCodeOf(error), (error as Error).message]).toEqual([2, expect.stringContaining('matches none of 10')]);
  });
});

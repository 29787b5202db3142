import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { CheckpointError, ConfigError, RunFolderError } from '../../train/errors.ts';
import { describeEnvironment } from '../../train/run-folder/environment.node.ts';
import { RunFolder, readEnvironment, readRunConfig } from '../../train/run-folder/folder.node.ts';

let parent: string;
let path: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'daybreak-run-'));
  path = join(parent, 'run');
});
afterEach(async () => rm(parent, { recursive: true, force: true }));

const config = parseConfig({ data: 'synthetic', out: 'run', steps: 20 });
const files = (step: number) => new Map([['model.safetensors', new Uint8Array(100).fill(step)]]);
const entry = (step: number) => ({ step, loss: 0.1, lr: 1e-4, imagesPerSecond: 3, seconds: step });

/** A run that came to step 10, closed. */
async function finishedRun(): Promise<void> {
  using run = await RunFolder.create(path, config);
  run.record(entry(10));
  await run.saveCheckpoint('last', files(10));
}

describe('starting a run', () => {
  test('in a missing folder creates it with its subfolders', async () => {
    using run = await RunFolder.create(join(path, 'deep', 'er'), config);
    expect((await readdir(run.path)).sort()).toEqual([
      'checkpoints',
      'config.json',
      'events.out.tfevents.daybreak',
      'metrics.jsonl',
      'run.lock',
      'samples',
    ]);
    expect(await run.config()).toEqual(config);
  });

  test('in an empty folder works, also with files of a file browser', async () => {
    await mkdir(path);
    await writeFile(join(path, '.DS_Store'), 'x');
    (await RunFolder.create(path, config)).close();
    expect(await readRunConfig(path)).toEqual(config);
  });

  test('in a folder with a run is an error with advice, and changes nothing', async () => {
    await finishedRun();
    const before = await readFile(join(path, 'metrics.jsonl'), 'utf8');
    await expect(RunFolder.create(path, config)).rejects.toThrow(
      `${path}: already has a run; continue it with --resume, or choose another --out`,
    );
    await expect(RunFolder.create(path, config)).rejects.toThrow(RunFolderError);
    expect(await readFile(join(path, 'metrics.jsonl'), 'utf8')).toBe(before);
    expect(await readdir(path)).not.toContain('run.lock');
  });

  test.each(['checkpoints/last/model.safetensors', 'samples/a.png', 'report.html'])(
    '%s counts as a run',
    async name => {
      (await RunFolder.create(path, config)).close();
      await mkdir(join(path, name, '..'), { recursive: true });
      await writeFile(join(path, name), 'x');
      await expect(RunFolder.create(path, config)).rejects.toThrow(/already has a run/);
    },
  );

  test('in a folder with other files is an error, even if one is called config.json', async () => {
    await mkdir(path);
    await writeFile(join(path, 'thesis.tex'), 'x');
    await expect(RunFolder.create(path, config)).rejects.toThrow(`${path}: is not empty and has no run`);
    await rm(join(path, 'thesis.tex'));
    await writeFile(join(path, 'config.json'), '{"port": 80}');
    await expect(RunFolder.create(path, config)).rejects.toThrow(/is not empty and has no run/);
    expect(await readFile(join(path, 'config.json'), 'utf8')).toBe('{"port": 80}');
    expect(await readdir(path)).toEqual(['config.json']);
  });

  test('at the path of a file is an error', async () => {
    await writeFile(path, 'x');
    await expect(RunFolder.create(path, config)).rejects.toThrow(`${path}: is not a folder`);
    await expect(RunFolder.create(join(path, 'below'), config)).rejects.toThrow(RunFolderError);
  });

  test('works again after a start that did not write its configuration', async () => {
    for (const part of ['samples', 'checkpoints']) await mkdir(join(path, part), { recursive: true });
    await writeFile(join(path, '.config.json.123.tmp'), '{');
    (await RunFolder.create(path, config)).close();
    expect(await readRunConfig(path)).toEqual(config);
  });

  test('works again after a start without results, with another configuration', async () => {
    using first = await RunFolder.create(path, config);
    await first.writeEnvironment(await describeEnvironment());
    first.close();
    await writeFile(join(path, '.config.json.123.tmp'), '{');
    const other = { ...config, seed: 5 };
    using second = await RunFolder.create(path, other);
    expect(await second.config()).toEqual(other);
    expect(await readEnvironment(path)).toBeUndefined();
    expect(await readdir(path)).not.toContain('.config.json.123.tmp');
  });
});

describe('resuming', () => {
  test('returns configuration, checkpoint and log, cut after its step', async () => {
    {
      using run = await RunFolder.create(path, config);
      for (const step of [5, 10]) run.record(entry(step));
      await run.saveCheckpoint('last', files(10));
      for (const step of [15, 18]) run.record(entry(step));
    }
    using run = await RunFolder.resume(path);
    expect(await run.config()).toEqual(config);
    expect(await run.readCheckpoint('last')).toEqual(files(10));
    expect(() => run.record(entry(15))).toThrow(RunFolderError);
    await run.continueAfter(10);
    run.record(entry(15));
    expect((await run.readMetrics()).map(({ step }) => step)).toEqual([5, 10, 15]);
  });

  test('a run without a checkpoint says so', async () => {
    (await RunFolder.create(path, config)).close();
    using run = await RunFolder.resume(path);
    expect(await run.checkpoints()).toEqual([]);
    await expect(run.readCheckpoint('last')).rejects.toThrow(CheckpointError);
    await run.continueAfter(0);
    expect(await run.readMetrics()).toEqual([]);
  });

  test('without a run is an error', async () => {
    await expect(RunFolder.resume(path)).rejects.toThrow(
      `${path}: holds no run to resume (no config.json); leave out --resume to start one`,
    );
    await mkdir(path);
    await expect(RunFolder.resume(path)).rejects.toThrow(RunFolderError);
    expect(await readdir(path)).toEqual([]);
  });

  test('names a damaged config.json', async () => {
    await finishedRun();
    await truncate(join(path, 'config.json'), 20);
    using run = await RunFolder.resume(path);
    await expect(run.config()).rejects.toThrow(ConfigError);
    await expect(run.config()).rejects.toThrow(/config\.json: not JSON/);
    await expect(run.config()).rejects.toThrow(
      `(complete checkpoints: last); repair it (report.html lists the options), or start a new run from ` +
        `these weights: --init ${path}`,
    );
  });

  test('names a damaged log, and the complete checkpoints', async () => {
    await finishedRun();
    await writeFile(join(path, 'metrics.jsonl'), `{"step":\n${JSON.stringify(entry(10))}\n`);
    using run = await RunFolder.resume(path);
    await expect(run.continueAfter(10)).rejects.toThrow(
      `${join(path, 'metrics.jsonl')}: line 1 is damaged; remove that line to continue the run (complete ` +
        'checkpoints: last)',
    );
  });

  test('removes leftovers of processes that died while writing, and nothing else', async () => {
    await finishedRun();
    const left = ['samples/.step-0000010-a.png.1-2.tmp', '.comparison-2.png.1-2.tmp', '.report.html.1-2.tmp'];
    const mine = ['samples/notes.tmp', '.mine.tmp'];
    for (const name of [...left, ...mine]) await writeFile(join(path, name), 'x');
    (await RunFolder.resume(path)).close();
    const there = await readdir(path, { recursive: true });
    expect([...left, ...mine].filter(name => there.includes(name))).toEqual(mine);
  });

  test('repairs checkpoints whose writer died between two renames', async () => {
    await finishedRun();
    const place = (name: string) => join(path, 'checkpoints', name);
    await cp(place('last'), place('.best.new'), { recursive: true });
    await cp(place('last'), place('.step-10.new'), { recursive: true });
    await rm(join(place('.step-10.new'), 'manifest.json'));
    await rename(place('last'), place('.last.old'));
    await writeFile(place('notes.txt'), 'not ours');
    using run = await RunFolder.resume(path);
    expect((await readdir(join(path, 'checkpoints'))).sort()).toEqual(['best', 'last', 'notes.txt']);
    expect(await run.readCheckpoint('last')).toEqual(files(10));
    expect(await run.readCheckpoint('best')).toEqual(files(10));
  });
});

describe('checkpoints', () => {
  test('are listed as last, best, then by step; only the newest steps are kept', async () => {
    using run = await RunFolder.create(path, config);
    for (const step of [900, 1000, 1100, 20]) await run.saveCheckpoint(`step-${step}`, files(1));
    expect(await run.checkpoints()).toEqual(['step-20', 'step-900', 'step-1000', 'step-1100']);
    for (const name of ['best', 'last'] as const) await run.saveCheckpoint(name, files(2));
    await run.pruneCheckpoints(0);
    expect(await run.checkpoints()).toHaveLength(6);
    await run.pruneCheckpoints(2);
    expect(await run.checkpoints()).toEqual(['last', 'best', 'step-1000', 'step-1100']);
    await run.pruneCheckpoints(5);
    expect(await run.checkpoints()).toHaveLength(4);
  });

  test('a damaged one is an error that names the file and the other checkpoints', async () => {
    using run = await RunFolder.create(path, config);
    for (const name of ['last', 'step-5'] as const) await run.saveCheckpoint(name, files(5));
    const file = join(run.checkpointPath('last'), 'model.safetensors');
    await truncate(file, 3);
    await expect(run.readCheckpoint('last')).rejects.toThrow(
      `${file}: damaged: expected 100 bytes, got 3 (other complete checkpoints: step-5); to continue from there, replace ` +
        'checkpoints/last by a copy of checkpoints/step-5',
    );
    expect(await run.readCheckpoint('step-5')).toEqual(files(5));
  });

  test('samples sort by step', async () => {
    using run = await RunFolder.create(path, config);
    const [early, late] = [run.samplePath(900, 'boats'), run.samplePath(10_000, 'boats')];
    expect(early).toBe(join(path, 'samples', 'step-0000900-boats.png'));
    expect(early < late).toBe(true);
  });
});

describe('one writer at a time', () => {
  test('within a process', async () => {
    using run = await RunFolder.create(path, config);
    run.record(entry(1));
    await expect(RunFolder.resume(path)).rejects.toThrow(
      new RegExp(`run\\.lock: process ${process.pid} since .+ is writing to this run folder; stop it first`),
    );
    run.close();
    (await RunFolder.resume(path)).close();
    expect(await readdir(path)).not.toContain('run.lock');
  });

  test('between processes; a killed process does not block others', async () => {
    await finishedRun();
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      `import { RunFolder } from ${JSON.stringify(new URL('../../train/run-folder/folder.node.ts', import.meta.url).href)};
       await RunFolder.resume(${JSON.stringify(path)});
       console.log('open');
       setInterval(() => {}, 1000);`,
    ]);
    try {
      const [said] = await once(child.stdout, 'data');
      expect(String(said)).toBe('open\n');
      await expect(RunFolder.resume(path)).rejects.toThrow(new RegExp(`run\\.lock: process ${child.pid} since`));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    using run = await RunFolder.resume(path);
    expect(await run.checkpoints()).toEqual(['last']);
  });

  test('takes over a lock of an earlier process with our id, of another host, or an incomplete one', async () => {
    await finishedRun();
    const locks = [
      JSON.stringify({ process: process.pid, host: 'here', since: 'then' }),
      JSON.stringify({ process: 1, host: 'another machine', since: 'then' }),
      '{"process": 1',
      '',
    ];
    const lock = join(path, 'run.lock');
    for (const content of locks) {
      await writeFile(lock, content);
      const minuteAgo = Date.now() / 1000 - 60;
      await utimes(lock, minuteAgo, minuteAgo);
      (await RunFolder.resume(path)).close();
    }
  });
});

describe('env.json', () => {
  test('records versions, the machine and the data of the caller', async () => {
    const environment = await describeEnvironment({
      adapter: { vendor: 'mesa', description: 'llvmpipe' },
      limits: { maxBufferSize: 2 ** 30 },
      kernels: { conv2d: 'plain' },
    });
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    const webgpu = new URL('../../node_modules/webgpu/package.json', import.meta.url);
    expect(environment).toMatchObject({
      daybreak: version,
      node: process.version,
      webgpu: JSON.parse(await readFile(webgpu, 'utf8')).version,
      adapter: { vendor: 'mesa', description: 'llvmpipe' },
      limits: { maxBufferSize: 2 ** 30 },
      kernels: { conv2d: 'plain' },
    });
    expect(environment.cpu.cores).toBeGreaterThan(0);
    expect(environment.memoryGiB).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - Date.parse(environment.date))).toBeLessThan(60_000);
    if (environment.commit) expect(environment.commit.hash).toMatch(/^[0-9a-f]{40}$/);
  });

  test('keeps the original environment, and adds that of each resume', async () => {
    using run = await RunFolder.create(path, config);
    const [first, second, third] = [
      { ...(await describeEnvironment()), node: 'v1' },
      { ...(await describeEnvironment()), node: 'v2' },
      { ...(await describeEnvironment()), node: 'v3' },
    ];
    await run.writeEnvironment(first);
    await run.writeEnvironment(second, 10);
    await run.writeEnvironment(third, 15);
    expect(await readEnvironment(path)).toEqual({
      ...first,
      resumed: [
        { step: 10, ...second },
        { step: 15, ...third },
      ],
    });
    await writeFile(join(path, 'env.json'), '{');
    await expect(readEnvironment(path)).rejects.toThrow(/env\.json: cannot be read, or is not JSON/);
  });
});

/** config.json: its version and migrations, and paths that lead where they were meant to. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { readConfigFile } from '../../train/config/config-file.node.ts';
import { CONFIG_VERSION, MIGRATIONS, migrated, renamed } from '../../train/config/migrate.ts';
import { ConfigError } from '../../train/errors.ts';
import { RunFolder, readRunConfig } from '../../train/run-folder/folder.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

/** A config.json as it was written before files had a version. */
const FIRST = new URL('../fixtures/configs/version-1.json', import.meta.url);

describe('versions', () => {
  test('reads a config.json without a version', async () => {
    const folder = temporaryFolder();
    cpSync(FIRST, join(folder, 'config.json'));
    expect(await readRunConfig(folder)).toMatchObject(JSON.parse(readFileSync(FIRST, 'utf8')));
  });

  test('writes the newest version, and reads it back', async () => {
    const run = join(temporaryFolder(), 'run');
    const config = parseConfig({ data: 'synthetic', out: run, steps: 3 });
    (await RunFolder.create(run, config)).close();
    expect(JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')).version).toBe(CONFIG_VERSION);
    expect(MIGRATIONS).toHaveLength(CONFIG_VERSION - 1);
    expect(await readRunConfig(run)).toEqual(config);
  });

  test('a renamed option has its new name, from any version', () => {
    const migrations = [...MIGRATIONS, renamed('crop', 'cropSide'), renamed('batch', 'batchSize')];
    const first = JSON.parse(readFileSync(FIRST, 'utf8'));
    const { crop, batch, ...rest } = first;
    const now = { ...rest, cropSide: crop, batchSize: batch };
    expect(migrated(first, undefined, 'config.json', migrations)).toEqual(now);
    expect(migrated(first, 2, 'config.json', migrations)).toEqual(now);
    // Version 3 had the first new name already.
    expect(migrated({ ...rest, cropSide: crop, batch }, 3, 'config.json', migrations)).toEqual(now);
    expect(migrated(now, 4, 'config.json', migrations)).toEqual(now);
    // Written by hand, with new names and without a version.
    expect(migrated(now, undefined, 'config.json', migrations)).toEqual(now);
  });

  test.each([
    [
      CONFIG_VERSION + 1,
      /written by a newer Daybreak \(options of version \d+; this program reads up to version \d+\)$/,
    ],
    [0, /version: expected an integer from 1 to 2, got 0/],
    [1.5, /version: expected an integer .*, got 1\.5/],
    ['2', /version: expected an integer .*, got "2"/],
    [null, undefined],
  ])('version %j', async (version, message) => {
    const path = join(temporaryFolder(), 'config.json');
    writeFileSync(path, JSON.stringify({ version, steps: 3 }));
    if (!message) return expect((await readConfigFile(path)).options).toEqual({ steps: 3 });
    await expect(readConfigFile(path)).rejects.toThrow(ConfigError);
    await expect(readConfigFile(path)).rejects.toThrow(message);
  });

  test.each([[3], ['here'], [{ relativeTo: 1, run: 'x' }], [[]]])('rejects paths %j', async paths => {
    const file = join(temporaryFolder(), 'config.json');
    writeFileSync(file, JSON.stringify({ version: 2, data: 'a', paths }));
    await expect(readConfigFile(file)).rejects.toThrow(/config\.json: paths: expected/);
  });
});

describe('relative paths', () => {
  const home = process.cwd();
  afterEach(() => process.chdir(home));

  /** A project with pictures, a run in it and pictures in the run, and what its configuration names as absolute paths. */
  async function project() {
    const folder = temporaryFolder();
    const at = join(folder, 'project');
    for (const part of ['photos', 'held out', 'runs/first/own']) mkdirSync(join(at, part), { recursive: true });
    process.chdir(at);
    const config = parseConfig({
      data: ['photos', 'synthetic', 'runs/first/own'],
      eval: ['held out', 'photographs'],
      init: 'none',
      out: 'other/run',
      steps: 3,
    });
    mkdirSync('other');
    (await RunFolder.create(config.out, config)).close();
    return { folder, at, config };
  }

  const namedIn = async (run: string) => {
    const { data, eval: sets, init } = await readRunConfig(run);
    return { data, eval: sets, init };
  };
  const meant = (at: string, own = at) => ({
    data: [join(at, 'photos'), 'synthetic', join(own, 'runs/first/own')],
    eval: [join(at, 'held out'), 'photographs'],
    init: 'none',
  });

  test('do not change in the same working directory, and are resolved in others', async () => {
    const { folder, at, config } = await project();
    expect(await readRunConfig('other/run')).toEqual(config);
    process.chdir(folder);
    expect(await namedIn('project/other/run')).toEqual(meant(at));
    // Another folder of the same name in the way is not the one that was meant.
    mkdirSync('photos');
    expect(await namedIn('project/other/run')).toEqual(meant(at));
  });

  test('of a moved or copied run lead to the same pictures', async () => {
    const { folder, at } = await project();
    cpSync(join(at, 'other/run'), join(folder, 'copy'), { recursive: true });
    process.chdir(folder);
    expect(await namedIn('copy')).toEqual(meant(at));
    renameSync(join(at, 'other/run'), join(folder, 'moved'));
    expect(await namedIn('moved')).toEqual(meant(at));
  });

  test('of a run that was moved with its pictures lead to their new location', async () => {
    const { folder, at } = await project();
    process.chdir(folder);
    renameSync(at, join(folder, 'elsewhere'));
    expect(await namedIn('elsewhere/other/run')).toEqual(meant(join(folder, 'elsewhere')));
  });

  test('of a copy lead to its own pictures if they are inside the run folder', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run');
    process.chdir(folder);
    const config = parseConfig({ data: ['run/pictures'], out: 'run', steps: 3 });
    (await RunFolder.create(run, config)).close();
    mkdirSync(join(run, 'pictures'));
    cpSync(run, join(folder, 'copy'), { recursive: true });
    expect((await readRunConfig('copy')).data).toEqual([join(folder, 'copy/pictures')]);
    rmSync(join(folder, 'copy/pictures'), { recursive: true });
    expect((await readRunConfig('copy')).data).toEqual(['run/pictures']);
  });

  test('that lead nowhere are tried in the working directory, else stay where they were', async () => {
    const { folder, at } = await project();
    renameSync(join(at, 'other/run'), join(folder, 'run'));
    rmSync(at, { recursive: true });
    process.chdir(folder);
    mkdirSync('photos');
    expect(await namedIn('run')).toEqual({
      data: ['photos', 'synthetic', join(at, 'runs/first/own')],
      eval: [join(at, 'held out'), 'photographs'],
      init: 'none',
    });
  });

  test('in a config.json that starts another run are resolved too', async () => {
    const { folder, at } = await project();
    process.chdir(folder);
    const { options } = await readConfigFile(join(at, 'other/run/config.json'));
    expect(parseConfig({ out: 'new' }, { path: 'config.json', options })).toMatchObject({ ...meant(at), out: 'new' });
  });
});

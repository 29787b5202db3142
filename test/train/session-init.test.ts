/** Runs that begin with given weights. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../../models/safetensors.ts';
import { parseConfig } from '../../train/config/config.ts';
import { ConfigError } from '../../train/errors.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from './resume-run.ts';
import { sessionConfig, sessionOptions } from './small-training.ts';

const device = sharedDevice();
const optionsOf = (more: Partial<SessionOptions> = {}) => sessionOptions(device(), more);

describe('a run from given weights', () => {
  const modelOf = (run: string) =>
    readSafetensors(readFileSync(join(run, 'checkpoints/last/model.safetensors'))).tensors;

  test.each(['folder', 'checkpoint', 'file'])(
    'of another run, given by its %s, starts with them and a new optimizer',
    async how => {
      const folder = temporaryFolder();
      const [first, second] = [join(folder, 'first'), join(folder, 'second')];
      await startSession(sessionConfig(first, { steps: 5 }), optionsOf());
      const last = join(first, 'checkpoints/last');
      const init = { folder: first, checkpoint: last, file: join(last, 'model.safetensors') }[how]!;
      const config = parseConfig({ data: 'synthetic', batch: 2, crop: 16, out: second, steps: 4, lr: 1e-4, init });
      expect(config.channels).toBeUndefined();
      expect(await startSession(config, optionsOf({ stopAfter: 0 }))).toMatchObject({ step: 0 });
      expect(modelOf(second)).toEqual(modelOf(first));
      const moments = readSafetensors(readFileSync(join(second, 'checkpoints/last/optimizer.safetensors')));
      expect(moments.metadata.steps).toBe('0');
      for (const { data } of moments.tensors.values()) expect(data.every(x => x === 0)).toBe(true);
      // The sizes are written down; the run keeps the weights, and goes on without the file.
      expect(JSON.parse(readFileSync(join(second, 'config.json'), 'utf8'))).toMatchObject({
        channels: 8,
        blocks: 1,
        init,
      });
      rmSync(first, { recursive: true });
      expect(await resumeRun(second, {}, optionsOf())).toMatchObject({ step: 4, finished: true });
      expect(modelOf(second)).not.toEqual(readSafetensors(readFileSync(join(second, 'init.safetensors'))).tensors);
    },
  );

  test('reads them again if it died before it had copied them, and never starts from random ones', async () => {
    const folder = temporaryFolder();
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await startSession(sessionConfig(first, { steps: 2 }), optionsOf());
    await startSession(sessionConfig(second, { init: first }), optionsOf({ stopAfter: 0 }));
    const kept = readFileSync(join(second, 'init.safetensors'));
    const die = () => {
      for (const name of ['init.safetensors', 'checkpoints/last'])
        rmSync(join(second, name), { recursive: true, force: true });
    };
    die();
    await resumeRun(second, {}, optionsOf({ stopAfter: 0 }));
    expect(readFileSync(join(second, 'init.safetensors')).equals(kept)).toBe(true);
    expect(modelOf(second)).toEqual(modelOf(first));
    die();
    rmSync(first, { recursive: true });
    await expect(resumeRun(second, {}, optionsOf())).rejects.toThrow(ConfigError);
  });

  test('that contradict the configuration or are missing is an error, and nothing is written', async () => {
    const folder = temporaryFolder();
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await startSession(sessionConfig(first, { steps: 1 }), optionsOf());
    const start = (more: Record<string, unknown>) => startSession(sessionConfig(second, more), optionsOf());
    await expect(start({ init: first, channels: 9 })).rejects.toThrow(
      `--channels: expected 8 as in --init ${first}, got 9; omit the option`,
    );
    await expect(start({ init: join(folder, 'none') })).rejects.toThrow(
      /expected the folder of a run or a model file, got .*none \(ENOENT\)/,
    );
    await expect(start({ init: folder })).rejects.toThrow(
      /expected the folder of a run with a checkpoint, got .* \(no checkpoints\/last\/model/,
    );
    await expect(start({ init: join(first, 'config.json') })).rejects.toThrow(/config\.json: /);
    expect(readdirSync(folder)).toEqual(['first']);
  });
});

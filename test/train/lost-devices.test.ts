/** Runs whose device is destroyed under them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DeviceLostError } from '../../engine/basics/errors.ts';
import { Device } from '../../engine/device/device.ts';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { checkpointsOf, sessionConfig, sessionOptions } from './small-training.ts';

const EVERY = { saveEvery: 5, evalEvery: 10, sampleEvery: 10, logEvery: 2, keep: 0 };

/** Devices to be destroyed: the one in use, and as many as are opened after it. */
class Devices implements Disposable {
  current!: Device;
  opened = 0;
  readonly #all: Device[] = [];

  async open(): Promise<Device> {
    this.current = await Device.create();
    this.#all.push(this.current);
    this.opened++;
    return this.current;
  }

  destroy(): void {
    this.current.gpu.destroy();
  }

  [Symbol.dispose](): void {
    for (const device of this.#all) device.dispose();
  }
}

/** Runs a session with a device of its own, with which `interfere` may interfere. */
async function train(
  run: string,
  interfere: (devices: Devices) => Partial<SessionOptions>,
  { survive = true, more = {} }: { survive?: boolean; more?: Record<string, unknown> } = {},
) {
  using devices = new Devices();
  const lines: string[] = [];
  const device = await devices.open();
  const reopen = survive ? { reopen: () => devices.open() } : {};
  const options = sessionOptions(device, { ...reopen, onLine: line => lines.push(line), ...interfere(devices) });
  const result = await startSession(sessionConfig(run, { ...EVERY, ...more }), options);
  return { result, lines, opened: devices.opened };
}

/** Calls `act` the first `times` times that it is told of. */
const once = (act: () => void, times = 1) => {
  let left = times;
  return () => {
    if (left-- > 0) act();
  };
};

async function evaluationSet(): Promise<string> {
  const folder = join(temporaryFolder(), 'held-out');
  await writePicture(join(folder, '0.png'), syntheticPicture(9, 0, 24));
  return folder;
}

const stepsOf = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const { seconds: _, waitedForDataSeconds: __, imagesPerSecond: ___, ...rest } = JSON.parse(line);
      return rest;
    });

test('a run that loses its device anywhere gives the same bytes, and says where it continues', async () => {
  const held = await evaluationSet();
  const unbroken = join(temporaryFolder(), 'unbroken');
  await train(unbroken, () => ({}), { more: { eval: held } });

  const at = (step: number, devices: Devices) => {
    const destroy = once(() => devices.destroy());
    return { onStep: (status: { step: number }) => status.step === step && destroy() };
  };
  const phase = (name: string, devices: Devices) => {
    const destroy = once(() => devices.destroy());
    return { onPhase: (current: string) => current.startsWith(name) && destroy() };
  };
  const moments: (readonly [string, (devices: Devices) => Partial<SessionOptions>, RegExp])[] = [
    ['between two checkpoints', devices => at(8, devices), /resumed after update 5$/],
    ['while a checkpoint is read back', devices => at(10, devices), /resumed after update 5$/],
    ['while kernels are compiled', devices => phase('warming up', devices), /reopened the device and started again$/],
    ...(process.env.DAYBREAK_LONG
      ? [
          ['in the last updates', (devices: Devices) => at(20, devices), /resumed after update 15$/] as const,
          ['while it is scored', (devices: Devices) => phase('scoring', devices), /resumed after update \d+$/] as const,
        ]
      : []),
  ];
  for (const [moment, interfere, message] of moments) {
    const run = join(temporaryFolder(), 'run');
    const { result, lines, opened } = await train(run, interfere, { more: { eval: held } });
    const losses = lines.filter(line => line.startsWith('GPU device lost'));
    expect([moment, opened, losses]).toEqual([moment, 2, [expect.stringMatching(message)]]);
    expect([moment, result.step, result.finished]).toEqual([moment, 20, true]);
    expect([moment, checkpointsOf(run)]).toEqual([moment, checkpointsOf(unbroken)]);
    expect([moment, stepsOf(run)]).toEqual([moment, stepsOf(unbroken)]);
  }
});

test('three losses without a checkpoint in between stop a run; with checkpoints it continues', async () => {
  const unbroken = join(temporaryFolder(), 'unbroken');
  await train(unbroken, () => ({}));

  const stuck = join(temporaryFolder(), 'stuck');
  // The seventh update is never survived.
  const error = await train(stuck, devices => ({
    onStep: ({ step }) => step === 7 && devices.destroy(),
  })).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DeviceLostError);
  expect((error as Error).message).toMatch(/^GPU device lost \(destroyed\): 3 times in a row/);
  expect(Object.keys(checkpointsOf(stuck)).some(name => name.startsWith('step-5/'))).toBe(true);

  const unlucky = join(temporaryFolder(), 'unlucky');
  const destroyed = new Set<number>();
  const { opened } = await train(unlucky, devices => ({
    onStep: ({ step }) => {
      if (step < 5 || step % 5 !== 2 || destroyed.has(step)) return;
      destroyed.add(step);
      devices.destroy();
    },
  }));
  expect([destroyed.size, opened]).toEqual([3, 4]);
  expect(checkpointsOf(unlucky)).toEqual(checkpointsOf(unbroken));
});

test('a loss is an error if no other device can be opened; checkpoints are kept', async () => {
  const run = join(temporaryFolder(), 'run');
  const lost = train(run, devices => ({ onStep: ({ step }) => step === 8 && devices.destroy() }), { survive: false });
  await expect(lost).rejects.toThrow(DeviceLostError);
  expect(existsSync(join(run, 'checkpoints', 'last', 'model.safetensors'))).toBe(true);
  expect(existsSync(join(run, 'run.lock'))).toBe(false);
});

/** What `daybreak doctor` finds here, and that it notices what is wrong. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Diagnosis, diagnose } from '../../cli/doctor/diagnosis.ts';
import { selfTest } from '../../cli/doctor/self-test.ts';
import { requestGpu } from '../../engine/device/gpu.node.ts';

test('an adapter that computes is described, and all is well', async () => {
  const diagnosis = await diagnose();
  expect(diagnosis.problem).toBeNull();
  expect(diagnosis.ok).toBe(true);
  expect(diagnosis.selfTest).toMatchObject({ passed: true, elements: 65_536 });
  expect(diagnosis.node).toBe(process.versions.node);
  expect(diagnosis.packages.webgpu).toBe('0.6.2');
  expect(diagnosis.adapter?.description).toBeTruthy();
  expect(diagnosis.adapter?.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
});

test('a device that computes wrongly is found out', async () => {
  const gpu = await requestGpu();
  const device = await (await gpu.requestAdapter())!.requestDevice();
  // Loses what is written to it from the second kilobyte on.
  const queue = {
    writeBuffer: (buffer: GPUBuffer, offset: number, data: Float32Array<ArrayBuffer>) =>
      device.queue.writeBuffer(buffer, offset, data.subarray(0, 256)),
    submit: (commands: GPUCommandBuffer[]) => device.queue.submit(commands),
  };
  const forgetful = new Proxy(device, {
    get(target, name) {
      if (name === 'queue') return queue;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  expect(await selfTest(forgetful)).toMatchObject({
    passed: false,
    problem: expect.stringMatching(/^element 256: expected \d+, got 0$/),
  });
  expect(await selfTest(device)).toMatchObject({ passed: true });
  device.destroy();
});

test.runIf(process.platform === 'linux')('without an adapter it says why, and fails', () => {
  const script =
    "import('./cli/doctor.ts').then(async ({ doctor }) => { process.exitCode = await doctor({ json: true }); })";
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--eval', script], {
    cwd: resolve(import.meta.dirname, '../..'),
    encoding: 'utf8',
    env: { ...process.env, VK_DRIVER_FILES: '/no/driver.json' },
  });
  expect(status).toBe(1);
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  expect(diagnosis).toMatchObject({ ok: false, adapter: null, selfTest: null });
  expect(diagnosis.problem).toContain('/no/driver.json');
});

/**
 * Trains a small SRResNet on synthetic pictures, stops half-way, and resumes. The run folder has the checkpoints, the log
 * and a report.
 *
 *     npx tsx examples/train-and-resume.ts [FOLDER]
 */
import { init } from 'daybreak';
import { parseConfig, resumedConfig, resumeSession, type SessionOptions, startSession } from 'daybreak/train';

const out = process.argv[2] ?? 'runs/example';
const device = await init();
const options: SessionOptions = {
  device,
  command: 'npx tsx examples/train-and-resume.ts',
  onStep: ({ step, loss }) => {
    if (step % 10 === 0) console.log(`update ${step}: loss ${loss.toFixed(4)}`);
  },
  onLine: console.log,
};

const config = parseConfig({
  ...{ model: 'srresnet', data: 'synthetic', syntheticCount: 8, syntheticSize: 64, out },
  ...{ channels: 8, blocks: 1, batch: 4, crop: 32, steps: 40, lr: 2e-3 },
});
const first = await startSession(config, { ...options, stopAfter: 20 });
console.log(`stopped after ${first.step} updates`);

const second = await resumeSession(await resumedConfig(out), options);
console.log(`finished after ${second.step} updates: ${second.model}`);
device.dispose();

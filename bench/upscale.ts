/** `npm run bench -- upscale`: upscaling a folder of small images, compared with the network alone. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { positiveInteger } from '../cli/arguments.ts';
import { addDeviceOptions, type DeviceChoice, openDevice } from '../cli/open-device.ts';
import { mebibytes } from '../common/text.ts';
import type { Device } from '../engine/device/device.ts';
import { setCurrentDevice } from '../engine/tensor.ts';
import { upscaleFiles } from '../eval/batch.node.ts';
import type { Job } from '../eval/job.ts';
import { network } from '../eval/methods.ts';
import type { Upscaler } from '../eval/upscale.ts';
import { writePicture } from '../image/files.node.ts';
import { syntheticPicture } from '../image/synthetic.ts';
import { findPretrained } from '../models/pretrained.node.ts';
import { loadUpscaler } from '../models/upscaler.node.ts';

interface Options extends DeviceChoice {
  readonly model: string;
  readonly pictures: number;
  readonly least: number;
  readonly most: number;
  readonly block: number;
}

/** Adds the command. */
export function add(program: Command): void {
  const command = program
    .command('upscale')
    .description('Upscale many small images of many sizes in one process: throughput, GPU memory, resident memory.')
    .option('--model <name>', 'a pretrained network or a model file', 'srresnet')
    .option('--pictures <n>', 'how many', positiveInteger, 500)
    .option('--least <px>', 'smallest side', positiveInteger, 24)
    .option('--most <px>', 'largest side', positiveInteger, 64)
    .option(
      '--block <n>',
      'images per block; blocks alternate between files and the network alone',
      positiveInteger,
      50,
    );
  addDeviceOptions(command).action(measure);
}

/** A recorded pass of the network, to be repeated without files. */
interface Pass {
  readonly planes: Float32Array;
  readonly height: number;
  readonly width: number;
}

async function measure(options: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'daybreak-upscale-'));
  try {
    const jobs = await write(folder, options);
    using device = await openDevice(options);
    setCurrentDevice(device);
    const path = (await findPretrained(options.model)) ?? options.model;
    await alternate(jobs, device, await loadUpscaler(path), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Images with shuffled sizes, so that consecutive ones rarely have the same size. */
async function write(folder: string, { pictures, least, most }: Options): Promise<Job[]> {
  const jobs: Job[] = [];
  const side = (i: number) => least + (i % (most - least + 1));
  for (let i = 0; i < pictures; i++) {
    const input = join(folder, 'in', `${String(i).padStart(4, '0')}.png`);
    await writePicture(input, syntheticPicture(1, i, side(i * 7), side(i * 11 + 5)));
    jobs.push({ input, output: join(folder, 'out', `${i}_x4.png`) });
  }
  return jobs;
}

async function alternate(jobs: readonly Job[], device: Device, upscaler: Upscaler, { block }: Options): Promise<void> {
  let passes: Pass[] = [];
  const watched: Upscaler = {
    name: upscaler.name,
    scale: upscaler.scale,
    halo: upscaler.halo,
    ...(upscaler.images && { images: upscaler.images }),
    bytes: (height, width) => upscaler.bytes(height, width),
    run: async (planes, height, width) => {
      passes.push({ planes, height, width });
      return await upscaler.run(planes, height, width);
    },
  };
  const method = network(watched);
  // Compile kernels before timing anything.
  await upscaler.run(new Float32Array(3 * 32 * 32), 32, 32);
  let [files, alone, failed] = [0, 0, 0];
  process.stdout.write('pictures  files s  network s  ratio   GPU live+pooled  resident  heap  kernels\n');
  for (let from = 0; from < jobs.length; from += block) {
    passes = [];
    let start = performance.now();
    await upscaleFiles(jobs.slice(from, from + block), method, {
      onOutcome: ({ state }) => {
        if (state !== 'done') failed++;
      },
    });
    files += performance.now() - start;
    start = performance.now();
    for (const { planes, height, width } of passes) await upscaler.run(planes, height, width);
    alone += performance.now() - start;
    const { live, pooled } = device.memory.figures();
    const { rss, heapUsed } = process.memoryUsage();
    const cells = [
      String(Math.min(from + block, jobs.length)).padStart(8),
      (files / 1000).toFixed(1).padStart(7),
      (alone / 1000).toFixed(1).padStart(9),
      (alone / files).toFixed(3).padStart(6),
      `${mebibytes(live)} + ${mebibytes(pooled)}`.padStart(16),
      mebibytes(rss).padStart(9),
      mebibytes(heapUsed).padStart(8),
      String(device.pipelineCount).padStart(4),
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
  }
  if (failed > 0) throw new Error(`${failed} images failed`);
}

/** `bench kernels`: every pass of every layer at its real size, compared with the adapter's peak. */
import type { Command } from 'commander';
import { positiveInteger } from '../cli/arguments.ts';
import { UsageError } from '../cli/failures.ts';
import { packLayout } from '../engine/graph/memory-operations.ts';
import { figure, percent } from '../eval/markdown-table.ts';
import { srresnet } from '../models/srresnet.ts';
import { generalWorks } from './general-works.ts';
import { KernelBench } from './kernel-bench.ts';
import { kernelTables, variantOf } from './kernel-tables.ts';
import { kernelWorks } from './kernel-works.ts';
import { addBenchOptions, type BenchOptions, isWanted, publish, say, withDevice } from './options.ts';
import { adapterOf, type Row } from './rows.ts';

interface KernelsOptions extends BenchOptions {
  readonly batch?: number;
  readonly crop: number;
  readonly quick?: boolean;
  readonly seconds: number;
}

/** The paper's sizes. Results of other sizes are only written to an explicitly given file. */
const BATCH = 16;
const CROP = 96;

/** Adds `kernels` to the program. */
export function add(program: Command): void {
  const command = program
    .command('kernels')
    .description(
      'Convolutions, dense layers, norms, activations, pixel shuffle, BCE and Adam at their real sizes, and other operations.',
    )
    .option('--batch <n>', `images per batch (default: ${BATCH}; with --quick 1)`, positiveInteger)
    .option('--crop <px>', 'side of the HR crops, a multiple of 16', positiveInteger, CROP)
    .option('--quick', 'a short run: batches of 1, three samples; does not write results')
    .option('--seconds <n>', 'time limit per row; slow kernels get fewer samples', positiveInteger, 20);
  addBenchOptions(command).action(run);
}

async function run(given: KernelsOptions): Promise<void> {
  const options = given.quick ? { ...given, samples: Math.min(given.samples, 3) } : given;
  const batch = options.batch ?? (options.quick ? 1 : BATCH);
  if (options.crop % 16 !== 0) throw new UsageError(`--crop: expected a multiple of 16, got ${options.crop}.`);
  await withDevice(options, async (device, signal) => {
    const all = [...kernelWorks(batch, options.crop, parametersOfSRResNet()), ...generalWorks(batch, options.crop)];
    const works = all.filter(work => isWanted(options, `${work.group} ${work.work} ${work.pass}`));
    if (works.length === 0)
      throw new UsageError(`--only ${options.only} matches none of ${all.length} pieces of work.`);
    using bench = await KernelBench.create(device, {
      samples: options.samples,
      budgetMs: options.seconds * 1000,
      signal,
    });
    const rows: Row[] = [];
    for (const [i, work] of works.entries()) {
      const row = await bench.row(work);
      rows.push(row);
      say(`${i + 1}/${works.length} ${progressOf(row)}`);
    }
    const report = { adapter: adapterOf(device), ceiling: bench.ceiling(), rows };
    const body = kernelTables(report);
    await publish(options, { benchmark: 'kernels', report, body, partial: isPartial({ ...options, batch }) });
  });
}

/** Whether the options skip or change work. */
export const isPartial = ({ batch, crop, only, quick }: Pick<KernelsOptions, 'batch' | 'crop' | 'only' | 'quick'>) =>
  only !== undefined || quick === true || batch !== BATCH || crop !== CROP;

/** Elements that Adam updates for the whole network, including padding. */
function parametersOfSRResNet(): number {
  using net = srresnet();
  return packLayout(net.parameters().map(({ shape }) => shape)).total;
}

/** "conv … forward: 12.3 ms, 42 GFLOP/s (27 per CPU second), 35 %, broadcast". */
function progressOf(row: Row): string {
  const { work, pass, ms, gflops, gflops_cpu, gbps, share } = row;
  const rate =
    gflops === null ? `${figure(gbps)} GB/s` : `${figure(gflops)} GFLOP/s (${figure(gflops_cpu)} per CPU second)`;
  return `${work} ${pass}: ${figure(ms)} ms, ${rate}, ${percent(share)}, ${variantOf(row)}`;
}

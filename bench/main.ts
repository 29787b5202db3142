/** `npm run bench -- …`: the list of benchmarks. Each is loaded on demand. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { runProgram, UsageError } from '../cli/failures.ts';

/** The exports of a benchmark's module. */
interface BenchmarkModule {
  /** Adds its command, with description, options and action. */
  add(program: Command): void;
}

interface Benchmark {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<BenchmarkModule>;
}

const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'kernels',
    summary: 'every convolution of SRResNet, the discriminator and VGG19, and the operations between them',
    load: () => import('./kernels.ts'),
  },
  {
    name: 'train',
    summary: 'whole training steps: time, calls, memory, where the time goes',
    load: () => import('./train.ts'),
  },
  {
    name: 'upscale',
    summary: 'many small images from file to file, compared with the network alone; memory',
    load: () => import('./upscale.ts'),
  },
  {
    name: 'baseline',
    summary: 'record the speed of the convolutions that npm test checks',
    load: () => import('./baseline.ts'),
  },
  {
    name: 'peers',
    summary: 'the same work in other engines, in alternating order on the same adapter',
    load: loadPeers,
  },
];

/** The peers are a separate package that the main install and type check do not include. */
async function loadPeers(): Promise<BenchmarkModule> {
  const module = new URL('./peers/command.ts', import.meta.url);
  if (!existsSync(module)) throw new UsageError('bench/peers is missing from this copy of the project');
  return (await import(module.href)) as BenchmarkModule;
}

async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command('npm run bench --')
    .description('Measure kernels, training steps and other engines on this adapter.')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', '\nEach benchmark has its own help: npm run bench -- kernels --help')
    .exitOverride();
  const wanted = args.find(word => !word.startsWith('-') && word !== 'help');
  for (const { name, summary, load } of BENCHMARKS) {
    if (name === wanted) (await load()).add(program);
    else program.command(name).description(summary);
  }
  return program;
}

process.exitCode = await runProgram(process.argv.slice(2), programFor);

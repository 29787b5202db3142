/**
 * Fuzzes the readers of images, model files and configurations with damaged files: npm run fuzz -- --count 2000 --seed 1.
 * The same seed gives the same files; `--save KIND:NUMBER=FILE` writes one of them.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { naturalNumber, positiveInteger } from '../cli/arguments.ts';
import { runScript } from '../cli/failures.ts';
import { campaign } from '../test/fuzz/campaign.ts';
import { KINDS, type Kind } from '../test/fuzz/seeds.ts';

interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  readonly kind?: readonly Kind[];
  readonly save?: string;
}

function save(text: string, seed: number): void {
  const [, kind, number, file] = /^(\w+):(\d+)=(.+)$/.exec(text) ?? [];
  if (kind === undefined || number === undefined || file === undefined)
    throw new Error(`--save ${text}: expected KIND:NUMBER=FILE`);
  const child = fileURLToPath(new URL('../test/fuzz/child.ts', import.meta.url));
  const args = ['--import', 'tsx', child, kind, String(seed), number, String(Number(number) + 1), file];
  spawnSync(process.execPath, args, { stdio: 'inherit' });
}

async function run({ count, seed, kind: kinds = KINDS, save: wanted }: FuzzOptions): Promise<void> {
  if (wanted !== undefined) return save(wanted, seed);
  let found = 0;
  for (const kind of kinds) {
    const began = performance.now();
    const { accepted, refused, findings, slowestSeconds, grownBy } = await campaign({ kind, seed, count });
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(
      `${kind}: ${count} files in ${seconds.toFixed(0)} s, ${accepted} read, ${refused} refused, slowest ` +
        `${slowestSeconds.toFixed(2)} s, memory +${grownBy} MiB, ${findings.length} findings\n`,
    );
    for (const { index, problem } of findings) process.stdout.write(`  ${kind}:${index} ${problem}\n`);
    found += findings.length;
  }
  if (found > 0) process.exitCode = 1;
}

const program = new Command('fuzz')
  .description('fuzz every reader with damaged files')
  .option('--count <N>', 'files of each kind', positiveInteger, 2000)
  .option('--seed <N>', 'random seed', naturalNumber, 1)
  .addOption(new Option('--kind <KIND...>', 'kinds of files').choices(KINDS))
  .option('--save <KIND:NUMBER=FILE>', 'write one of the files instead')
  .action(run);

await runScript(program);

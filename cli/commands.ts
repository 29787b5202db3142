/** The commands. Each is loaded on demand, so that `--help` does not wait for the GPU driver. */

import type { Command } from 'commander';

/** A command: its name, its line in the help, and a function that adds it. */
export interface LazyCommand {
  readonly name: string;
  readonly summary: string;
  readonly add: (program: Command) => Promise<void>;
}

const DOCTOR = 'check the GPU adapter, and report what is missing';

/** In the order of the help. */
export const COMMANDS: readonly LazyCommand[] = [
  {
    name: 'doctor',
    summary: DOCTOR,
    add: async program => {
      program
        .command('doctor')
        .description(DOCTOR)
        .option('--json', 'print JSON')
        .action(async (options: { json?: boolean }) => {
          const { doctor } = await import('./doctor.ts');
          process.exitCode = await doctor({ json: options.json ?? false });
        });
    },
  },
  {
    name: 'train',
    summary: 'train a network on pictures or on synthetic images',
    add: async program => (await import('./train.ts')).addTrainCommand(program),
  },
  {
    name: 'ablate',
    summary: 'train networks that differ in one respect, and plot their scores',
    add: async program => (await import('./ablate.ts')).addAblateCommand(program),
  },
  {
    name: 'upscale',
    summary: 'upscale pictures up to four times',
    add: async program => (await import('./upscale.ts')).addUpscaleCommand(program),
  },
  {
    name: 'models',
    summary: 'list the shipped networks',
    add: async program => (await import('./models.ts')).addModelsCommand(program),
  },
  {
    name: 'export',
    summary: 'write a network for other programs: ONNX, Hugging Face',
    add: async program => (await import('./export.ts')).addExportCommand(program),
  },
  {
    name: 'eval',
    summary: 'score networks and other methods on a set of pictures',
    add: async program => (await import('./eval.ts')).addEvalCommand(program),
  },
  {
    name: 'table',
    summary: "put scores of methods beside the paper's tables",
    add: async program => (await import('./table.ts')).addTableCommand(program),
  },
  {
    name: 'compare',
    summary: 'show results of methods side by side',
    add: async program => (await import('./compare.ts')).addCompareCommand(program),
  },
  {
    name: 'dictionary',
    summary: 'collect example patches from pictures, for freeman and markov',
    add: async program => (await import('./dictionary.ts')).addDictionaryCommand(program),
  },
  {
    name: 'mos',
    summary: 'run opinion tests: people rate the results of methods',
    add: async program => (await import('./mos.ts')).addMosCommand(program),
  },
  {
    name: 'tune',
    summary: 'measure competing kernels on this adapter, and save the fastest',
    add: async program => (await import('./tune.ts')).addTuneCommand(program),
  },
];

/** Which commands there are. Each is loaded only when it is asked for: `--help` should not wait for a GPU's driver. */

import type { Command } from 'commander';

/** A command: its name, its line in the program's help, and how to add the whole of it. */
export interface LazyCommand {
  readonly name: string;
  readonly summary: string;
  readonly add: (program: Command) => Promise<void>;
}

const DOCTOR = 'say what the GPU adapter is and can do, and what to install if something is missing';

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
    name: 'upscale',
    summary: 'enlarge pictures four times',
    add: async program => (await import('./upscale.ts')).addUpscaleCommand(program),
  },
  {
    name: 'models',
    summary: 'list the networks that come with Daybreak',
    add: async program => (await import('./models.ts')).addModelsCommand(program),
  },
  {
    name: 'eval',
    summary: 'score networks and interpolations on a set of pictures',
    add: async program => (await import('./eval.ts')).addEvalCommand(program),
  },
  {
    name: 'compare',
    summary: 'put results side by side, one picture for each original',
    add: async program => (await import('./compare.ts')).addCompareCommand(program),
  },
  {
    name: 'tune',
    summary: 'time the kernels that compete on this adapter, and write down which are fastest',
    add: async program => (await import('./tune.ts')).addTuneCommand(program),
  },
];

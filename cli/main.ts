/** `daybreak …`: finds the command and runs it. Errors become one line and an exit code. */

import { Command } from 'commander';

export { reasonOf } from '../files/file-error.ts';

import { daybreakVersion } from '../common/machine.node.ts';
import { COMMANDS } from './commands.ts';
import { runProgram } from './failures.ts';

const SUMMARY = 'Super-resolution on WebGPU: train SRResNet and SRGAN, upscale pictures, score the results.';

/**
 * Runs one command line, given without the program's name. Commands report failure by throwing (see `failures.ts`) or by
 * `process.exitCode`.
 * @returns 0 done, 1 failed, 2 bad usage, 129, 130 or 143 stopped by SIGHUP, SIGINT or SIGTERM.
 */
export const main = (args: readonly string[]): Promise<number> => runProgram(args, programFor);

/** The program. Only the command in `args` is loaded; the others have just a summary for the help. */
async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command('daybreak')
    .description(SUMMARY)
    .version(daybreakVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', '\nEach command has its own help: daybreak eval --help')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/\n(?=.)/g, ' ')) });
  const words = args.filter(word => !word.startsWith('-'));
  const wanted = words[0] === 'help' ? words[1] : words[0];
  for (const { name, summary, add } of COMMANDS) {
    if (name === wanted) await add(program);
    else program.command(name).description(summary);
  }
  return program;
}

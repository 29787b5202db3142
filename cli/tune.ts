/** `daybreak tune`: measures competing kernels on this adapter, and saves the fastest. */
import type { Command } from 'commander';
import { counted, jsonText } from '../common/text.ts';
import { PROGRAMS } from '../tune/programs.ts';
import type { TunedProblem } from '../tune/tuned.ts';
import { positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addAdapterOption, openDevice } from './open-device.ts';
import { PhaseProgress } from './progress.ts';

interface TuneOptions {
  readonly problems: string;
  readonly out?: string;
  readonly minutes: number;
  readonly adapter?: string;
  readonly json?: boolean;
}

const NAMES = Object.keys(PROGRAMS);
const MINUTES = 10;

const HELP = `
Programs:
${Object.entries(PROGRAMS)
  .map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`)
  .join('\n')}

Training, upscaling and scoring use the file on the adapter and driver on which it
was measured, unless --no-tuned is given. A resumed run keeps the kernels with which
it started. Ctrl-C leaves the file unchanged. Later tunings continue with the
problems that had no time, then repeat the oldest measurements.`;

/** Adds `tune` to the program. */

export function addTuneCommand(program: Command): void {
  const command = program
    .command('tune')
    .description('Measure competing kernels on this adapter, and save the fastest.')
    .option('--problems <LIST>', `programs whose kernels to measure: ${NAMES.join(', ')}`, NAMES.join(','))
    .option('--out <FILE>', "the file to write (default: DAYBREAK_TUNED, or one in the user's cache folder)")
    .option('--minutes <N>', 'start no problem after this time', positiveInteger, MINUTES);
  addAdapterOption(command)
    .option('--json', 'print the file')
    .addHelpText('after', HELP)
    .action(async (options: TuneOptions) => await runTuning(options));
}

async function runTuning({ problems, out, minutes, adapter, json }: TuneOptions): Promise<void> {
  const names = problems.split(',').map(name => name.trim());
  const unknown = names.filter(name => !NAMES.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`--problems: expected names from ${NAMES.join(', ')}, got ${unknown.join(', ')}`);
  const { tune } = await import('../tune/session.node.ts');
  const { tunedPath } = await import('../tune/tuned-file.node.ts');
  using device = await openDevice({ tuned: false, ...(adapter !== undefined && { adapter }) });
  const path = out ?? tunedPath(device.description);
  if (path === undefined) {
    const why = process.env.DAYBREAK_TUNED === undefined ? 'no home folder was found' : 'DAYBREAK_TUNED is empty';
    throw new UsageError(`--out: expected a file, because ${why}`);
  }
  const {
    file,
    problems: found,
    left: remaining,
  } = await interruptible('Stopping without writing.', async signal => {
    using progress = new PhaseProgress('measuring');
    return await tune({
      device,
      programs: names.map(name => PROGRAMS[name]),
      path,
      minutes,
      signal,
      onProblem: (done, total, text) => progress.update(done, total, text),
      onVerdict: problem => progress.line(sentence(problem)),
    });
  });
  if (json) {
    process.stdout.write(jsonText(file));
    return;
  }
  const changed = found.filter(({ variant, rule }) => variant !== rule).length;
  const lines = [`${counted(found.length, 'problem')} measured, ${changed} with another kernel than by rule; ${path}`];
  if (remaining > 0)
    lines.push(`${counted(remaining, 'problem')} not measured: run daybreak tune again, or with more --minutes`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function sentence({ family, problem, variant, rule, times }: TunedProblem): string {
  const list = times.map(({ variant: name, ms, runs, failure }) =>
    failure === undefined ? `${name} ${runs > 0 ? '' : 'over '}${ms.toPrecision(3)} ms` : `${name} fails (${failure})`,
  );
  return `${family} ${problem}: ${variant}${variant === rule ? '' : ` (by rule ${rule})`}; ${list.join(', ')}`;
}

/** `daybreak tune`: times the kernels that compete on this adapter, and writes down which are fastest. */
import type { Command } from 'commander';
import { PROGRAMS } from '../tune/programs.ts';
import type { TunedProblem } from '../tune/tuned.ts';
import { positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { openDevice } from './open-device.ts';
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

Training, enlarging and scoring use the file on the adapter and driver that it was
measured on (--no-tuned: they do not). A run that is resumed goes on with the
kernels that it began with. Ctrl-C leaves the file as it was. Later tunings go on
where there was no time, and measure again what was measured longest ago.`;

export function addTuneCommand(program: Command): void {
  program
    .command('tune')
    .description('time the kernels that compete on this adapter, and write down which are fastest')
    .option('--problems <LIST>', `programs whose kernels are timed: ${NAMES.join(', ')}`, NAMES.join(','))
    .option('--out <FILE>', "the file to write (default: DAYBREAK_TUNED, or one in the user's cache folder)")
    .option('--minutes <N>', 'no further problem is begun after so long', positiveInteger, MINUTES)
    .option('--adapter <NAME>', "part of the GPU driver's name, e.g. llvmpipe; NVIDIA:1 is the second of those")
    .option('--json', 'print the file')
    .addHelpText('after', HELP)
    .action(async (options: TuneOptions) => await runTuning(options));
}

async function runTuning({ problems, out, minutes, adapter, json }: TuneOptions): Promise<void> {
  const names = problems.split(',').map(name => name.trim());
  const unknown = names.filter(name => !NAMES.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`--problems: there is no ${unknown.join(', ')}, expected some of ${NAMES.join(', ')}`);
  const { tune } = await import('../tune/session.node.ts');
  const { tunedPath } = await import('../tune/tuned-file.node.ts');
  using device = await openDevice({ tuned: false, ...(adapter !== undefined && { adapter }) });
  const path = out ?? tunedPath(device.description);
  if (path === undefined) {
    const why = process.env.DAYBREAK_TUNED === undefined ? 'there is no home folder' : 'DAYBREAK_TUNED is empty';
    throw new UsageError(`${why}: name a file by --out`);
  }
  const {
    file,
    problems: found,
    left,
  } = await interruptible('Stopping; nothing is written.', async signal => {
    using progress = new PhaseProgress('timing');
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
    process.stdout.write(`${JSON.stringify(file, null, 2)}\n`);
    return;
  }
  const changed = found.filter(({ variant, rule }) => variant !== rule).length;
  const lines = [`${found.length} problems timed, ${changed} of them not by the rule's kernel; ${path}`];
  if (left > 0) lines.push(`${left} problems had no time: run daybreak tune again, or with more --minutes`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function sentence({ family, problem, variant, rule, times }: TunedProblem): string {
  const list = times.map(({ variant: name, ms, runs, failure }) =>
    failure === undefined ? `${name} ${runs > 0 ? '' : 'over '}${ms.toPrecision(3)} ms` : `${name} fails (${failure})`,
  );
  return `${family} ${problem}: ${variant}${variant === rule ? '' : ` (by rule ${rule})`}; ${list.join(', ')}`;
}

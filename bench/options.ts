/** Options shared by all benchmarks, and their device and files. */
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger } from '../cli/arguments.ts';
import { interruptible } from '../cli/interrupt.ts';
import { addDeviceOptions, type DeviceChoice, openDevice } from '../cli/open-device.ts';
import { adapterName } from '../engine/device/adapter.ts';
import type { Device } from '../engine/device/device.ts';
import { setCurrentDevice } from '../engine/tensor.ts';
import { preamble, RESULTS_FILE, writeSection } from './results.ts';
import { type Report, writeJson } from './rows.ts';

export interface BenchOptions extends DeviceChoice {
  readonly json?: string;
  readonly samples: number;
  readonly only?: RegExp;
  /** A file; false: none; absent: `bench/RESULTS.md`, if the run is complete. */
  readonly results?: string | false;
}

/** Adds the options to a command. */
export function addBenchOptions(command: Command): Command {
  return addDeviceOptions(command)
    .option('--json <file>', 'write the rows to a file; - prints them instead of the tables')
    .option('--samples <n>', 'samples for each median', positiveInteger, 5)
    .option('--only <regex>', 'only work whose name and pass match, e.g. "3x3 64>64.* forward"', regex)
    .option('--results <file>', 'Markdown file for the tables (default: bench/RESULTS.md, after complete runs)')
    .option('--no-results', 'do not write Markdown');
}

function regex(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Whether `--only` matches work of this name. */
export const isWanted = ({ only }: Pick<BenchOptions, 'only'>, name: string): boolean => only?.test(name) ?? true;

/** Creates the default device and runs `body`; Ctrl-C or SIGTERM abort the signal. */
export async function withDevice(
  choice: DeviceChoice,
  body: (device: Device, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await interruptible('Stopping after this sample.', async signal => {
    using device = await openDevice(choice);
    setCurrentDevice(device);
    try {
      await body(device, signal);
    } finally {
      setCurrentDevice(undefined);
    }
  });
}

/** Prints a line of progress to stderr. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export interface Publication {
  /** The section of the results: `kernels`, `train` … */
  readonly benchmark: string;
  readonly report: Report;
  /** The report's tables as Markdown. */
  readonly body: string;
  /** Part of the work was skipped, so `bench/RESULTS.md` is not changed. */
  readonly partial: boolean;
}

/** Prints the tables, or writes the JSON and the section of the results, depending on the options. */
export async function publish(options: BenchOptions, { benchmark, report, body, partial }: Publication): Promise<void> {
  const command = ['npm run bench --', ...withoutFiles(process.argv.slice(2)).map(quoted)].join(' ');
  const text = `${await preamble(command, report)}\n\n${body}`;
  const adapter = adapterName(report.adapter);
  // Print first: a failed write must not lose the results of a long run.
  if (options.json !== '-') process.stdout.write(`${text}\n`);
  const file = resultsFile(options, partial);
  if (file !== undefined) {
    await writeSection(file, { benchmark, adapter, body: text });
    say(`results in ${file}`);
  }
  if (options.json !== undefined) await writeJson(options.json, report);
}

/** The file for the tables of a run, if any. */
export function resultsFile({ results }: Pick<BenchOptions, 'results'>, partial: boolean): string | undefined {
  if (results === undefined) return partial ? undefined : RESULTS_FILE;
  return results === false ? undefined : results;
}

/** The arguments without file options, whose paths do not belong into the results. */
const withoutFiles = (words: readonly string[]): string[] =>
  words.filter((word, i) => !/^--(json|results)(=|$)/.test(word) && !/^--(json|results)$/.test(words[i - 1] ?? ''));

const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);

/** Runs a tuning session: from programs to a tuned file. */
import type { Device } from '../engine/device/device.ts';
import { setCurrentDevice } from '../engine/init.ts';
import { measureOf, timeCandidates } from './measure.ts';
import { problemsOf, type TuningProblem } from './problems.ts';
import type { NamedProgram } from './programs.ts';
import { merged, type TunedFile, type TunedProblem, verdict } from './tuned.ts';
import { readTunedFile, writeTunedFile } from './tuned-file.node.ts';

export interface TuningOptions {
  readonly device: Device;
  /** The programs whose problems are timed. */
  readonly programs: readonly Pick<NamedProgram, 'plan'>[];
  /** The file to write. Its entries for other problems of the same adapter are kept. */
  readonly path: string;
  /** No problem is started after this many minutes. */
  readonly minutes: number;
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  readonly onProblem?: (done: number, total: number, text: string) => void;
  readonly onVerdict?: (problem: TunedProblem) => void;
}

export interface Tuning {
  readonly file: TunedFile;
  /** Problems measured in this session. */
  readonly problems: readonly TunedProblem[];
  /** Number of problems for which there was no time. */
  readonly left: number;
}

/** Times the variants of every problem of the programs. If aborted, throws the signal's reason and writes nothing. */
export async function tune(options: TuningOptions): Promise<Tuning> {
  const { device, path, minutes, rounds, signal, onProblem, onVerdict } = options;
  const old = await readTunedFile(path);
  setCurrentDevice(device);
  const problems = problemsIn(device, options.programs);
  const until = performance.now() + minutes * 60_000;
  const found: TunedProblem[] = [];
  let begun = 0;
  for (const [i, problem] of inOrder(problems, old).entries()) {
    if (i > 0 && performance.now() > until) break;
    begun++;
    const name = `${problem.family} ${problem.key}`;
    const times = await timeCandidates(device, problem, {
      cpuTime: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      },
      onCandidate: variant => onProblem?.(i, problems.length, `${name}: ${variant}`),
      ...(rounds !== undefined && { rounds }),
      ...(signal && { signal }),
    });
    const result = verdict(problem, times, new Date().toISOString());
    if (!result) continue;
    found.push(result);
    onVerdict?.(result);
    onProblem?.(i + 1, problems.length, name);
  }
  signal?.throwIfAborted();
  const file = merged(old, device.description, measureOf(device), new Date().toISOString(), found);
  await writeTunedFile(path, file);
  return { file, problems: found, left: problems.length - begun };
}

/** The distinct problems of several programs. */
function problemsIn(device: Device, programs: TuningOptions['programs']): TuningProblem[] {
  const all = programs.flatMap(({ plan }) => problemsOf(plan(device), device.traits));
  return [...new Map(all.map(problem => [`${problem.family}|${problem.key}`, problem])).values()];
}

/** Unmeasured problems first, then those measured longest ago, so that an incomplete tuning can continue. */
function inOrder(problems: readonly TuningProblem[], old: TunedFile | undefined): TuningProblem[] {
  const dates = new Map(old?.problems.map(({ family, problem, date }) => [`${family}|${problem}`, date]));
  const dateOf = ({ family, key }: TuningProblem) => dates.get(`${family}|${key}`) ?? '';
  return [...problems].sort((a, b) => (dateOf(a) < dateOf(b) ? -1 : Number(dateOf(a) > dateOf(b))));
}

/** `npm run bench -- peers`: the same work in other engines, in alternating order on the same adapter. */
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger } from '../../cli/arguments.ts';
import { UsageError } from '../../cli/failures.ts';
import type { Device } from '../../engine/device/device.ts';
import { measureCeiling } from '../ceiling.ts';
import { addBenchOptions, type BenchOptions, isWanted, publish, say, withDevice } from '../options.ts';
import { adapterOf, type Row } from '../rows.ts';
import { compareResults, type Results, solve } from './agreement.ts';
import { compare, type Task } from './comparison.ts';
import { PeerError, PeerProcess } from './peer-process.ts';
import { DAYBREAK, findPeers, type Launch, PEER_NAMES, type PeerName } from './roster.ts';
import { comparisonSection } from './tables.ts';
import { CLASSIFYING, CONVOLUTIONS, TRAININGS, type Work, workName } from './works.ts';

interface PeersOptions extends BenchOptions {
  readonly peers: readonly PeerName[];
  readonly python?: string;
  readonly step?: keyof typeof TRAININGS;
  readonly nativeSamples: number;
  readonly budget: number;
}

/**
 * Repetitions between two waits. On a GPU enough to make waiting negligible, as long as the results, which some peers keep
 * until then, take at most 2 GB.
 */
function flightOf(work: Work, software: boolean): number {
  if (software || work.kind !== 'convolution') return 1;
  const { batch, inputs, outputs, height, width } = work;
  const bytes = 4 * batch * height * width * (inputs + outputs);
  return Math.min(128, Math.max(1, Math.floor(2e9 / bytes)));
}

export function add(program: Command): void {
  addBenchOptions(program.command('peers'))
    .description('The same work in TensorFlow.js, jax-js, onnxruntime-web and PyTorch, in alternating order.')
    .option('--peers <names>', `some of ${PEER_NAMES.join(',')}; daybreak is always included`, names, PEER_NAMES)
    .option('--python <file>', 'a Python with torch (default: the first on the path)')
    .option('--step <size>', 'SRResNet of the training step, small or full (default: small on software adapters)', size)
    .option('--native-samples <n>', 'samples of the second table, with native waiting', positiveInteger, 3)
    .option(
      '--budget <seconds>',
      'time for each piece of work and way of waiting; fewer samples then',
      positiveInteger,
      600,
    )
    .action(
      async (options: PeersOptions) => await withDevice(options, (device, signal) => run(options, device, signal)),
    );
}

function names(text: string): readonly PeerName[] {
  const given = text.split(',').map(name => name.trim());
  const wrong = given.find(name => !(PEER_NAMES as readonly string[]).includes(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`no peer "${wrong}", expected ${PEER_NAMES.join(', ')}.`);
  return given as PeerName[];
}

function size(text: string): keyof typeof TRAININGS {
  if (text === 'small' || text === 'full') return text;
  throw new InvalidArgumentError('expected small or full.');
}

async function run(options: PeersOptions, device: Device, signal: AbortSignal): Promise<void> {
  const { software } = device.traits;
  const all = tasksOf(options.step ?? (software ? 'small' : 'full'));
  const tasks = all.filter(({ work, pass }) => isWanted(options, `${workName(work)} ${pass}`));
  if (tasks.length === 0) throw new UsageError(`--only ${options.only} matches none of ${all.length} pieces of work.`);
  const { python, peers, budget, nativeSamples, samples, tuned } = options;
  const given = { ...(python !== undefined && { python }), ...(tuned !== undefined && { tuned }) };
  const { launches, missing } = findPeers({ peers, software, say, ...given });
  const env = { ...process.env, ...(options.adapter !== undefined && { DAYBREAK_ADAPTER: options.adapter }) };
  const absent = [...missing];
  await using participants = await start(launches, env, device, signal, line => {
    absent.push(line);
    say(`peers: without ${line}`);
  });
  for (const line of missing) say(`peers: without ${line}`);
  const ceiling = await measureCeiling(device, { samples, signal });
  const rows: Row[] = [];
  for (const [i, task] of tasks.entries()) {
    say(`${i + 1}/${tasks.length} ${workName(task.work)} ${task.pass}`);
    const flight = flightOf(task.work, software);
    const limits = { samples, nativeSamples, flight, budgetMs: budget * 1000, signal, say };
    const measured = await compare(task, participants.processes, limits);
    for (const { impl, ms, cpu_ms, note } of measured)
      say(`  ${impl.padEnd(16)} ${ms.toFixed(1).padStart(9)} ms ${cpu_ms.toFixed(1).padStart(9)} CPU ms  ${note}`);
    rows.push(...measured);
  }
  const report = { adapter: adapterOf(device), ceiling, rows };
  const body = comparisonSection(rows, participants.lines, absent);
  const partial = options.only !== undefined || PEER_NAMES.some(name => !peers.includes(name) && name !== 'daybreak');
  await publish(options, { benchmark: 'peers', report, body, partial });
}

function tasksOf(step: keyof typeof TRAININGS): Task[] {
  return [
    ...CONVOLUTIONS.map(work => ({ work, pass: 'forward' }) as const),
    ...CONVOLUTIONS.map(work => ({ work, pass: 'forward+grads' }) as const),
    { work: TRAININGS[step], pass: 'step' },
    { work: CLASSIFYING, pass: 'step' },
  ];
}

interface Participants extends AsyncDisposable {
  readonly processes: readonly PeerProcess[];
  /** Each peer's version, adapter, and the difference of its results from Daybreak's. */
  readonly lines: readonly string[];
}

/** Starts the peers and checks that each does the same work. Those that do not are reported and skipped. */
async function start(
  launches: readonly Launch[],
  env: NodeJS.ProcessEnv,
  device: Device,
  signal: AbortSignal,
  absent: (line: string) => void,
): Promise<Participants> {
  const processes: PeerProcess[] = [];
  const lines: string[] = [];
  const end = async () => {
    await Promise.all(processes.map(process => process[Symbol.asyncDispose]()));
  };
  let expected: Results | undefined;
  try {
    for (const { impl, command, tolerance } of launches) {
      signal.throwIfAborted();
      say(`peers: starting ${impl}`);
      let peer: PeerProcess | undefined;
      try {
        peer = await PeerProcess.start(impl, command, env);
        processes.push(peer);
        const { version, adapter, onCpu } = { ...peer.greeting, onCpu: impl.startsWith('pytorch') };
        if (!onCpu && adapter !== device.adapterName)
          throw new PeerError(impl, `computes on ${adapter}, not on ${device.adapterName}`);
        const results = await solve(peer);
        expected ??= results;
        const apart = compareResults(impl, results, expected, tolerance);
        const proof = impl === DAYBREAK.impl ? '' : `; its results differ by at most ${apart.toExponential(0)}`;
        lines.push(`${impl} ${version}, ${adapter}${proof}`);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof PeerError) || impl === DAYBREAK.impl) throw error;
        if (peer) processes.splice(processes.indexOf(peer), 1);
        await peer?.[Symbol.asyncDispose]();
        absent(error.message);
      }
    }
  } catch (error) {
    await end();
    throw error;
  }
  return { processes, lines, [Symbol.asyncDispose]: end };
}

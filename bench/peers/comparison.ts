/** Measures the running peers, one piece of work at a time. */
import { type Contender, type Measurement, type MeasureOptions, measure, type Timing } from '../measure.ts';
import { type Row, timesOf } from '../rows.ts';
import { PeerError, type PeerProcess } from './peer-process.ts';
import { type Ran, ranSchema, type Wait } from './protocol.ts';
import { flops, type Pass, type Work, workName } from './works.ts';

export interface Task {
  readonly work: Work;
  readonly pass: Pass;
}

export interface ComparisonOptions extends MeasureOptions {
  /** Repetitions between two waits: 1 on software adapters, more if waiting would take as long as the work. */
  readonly flight: number;
  /** Samples with native waiting, which adds little information to quiet waiting. */
  readonly nativeSamples: number;
  readonly say: (line: string) => void;
}

/** The label of each way of waiting. */
export const WAITS: Readonly<Record<Wait, string>> = { quiet: 'quiet waiting', native: 'native waiting' };

/** Samples with native waiting take longer, because some engines run several steps ahead. Milliseconds. */
const NATIVE_SAMPLE_MS = 300;

/** If an idle peer uses more CPU time than this fraction of wall time, the others' times are unreliable. */
const RESTLESS = 0.1;

/** A peer as a contender for `measure`. */
export class RemoteContender implements Contender {
  readonly peer: PeerProcess;
  /** WebGPU calls per repetition, counted in the last run. */
  calls: Ran['calls'] = null;
  /** Its largest CPU use while idle, as a fraction of wall time. */
  restlessness = 0;
  readonly #flight: number;
  readonly #wait: Wait;

  constructor(peer: PeerProcess, flight: number, wait: Wait) {
    this.peer = peer;
    this.#flight = flight;
    this.#wait = wait;
  }

  get impl(): string {
    return this.peer.name;
  }

  async run(repeats: number): Promise<Timing> {
    const ran = await this.peer.ask({ do: 'run', repeats, flight: this.#flight, wait: this.#wait }, ranSchema);
    this.calls = ran.calls && {
      dispatches: ran.calls.dispatches / repeats,
      submits: ran.calls.submits / repeats,
      buffers: ran.calls.buffers / repeats,
    };
    // Short pauses do not count: cleanup after a result would dominate.
    if (ran.idleMs > 500) this.restlessness = Math.max(this.restlessness, ran.idleCpuMs / ran.idleMs);
    return { ms: ran.ms, cpuMs: ran.cpuMs };
  }
}

/**
 * Measures the peers that support a task, with quiet and then native waiting. If a peer fails, a line reports it, and the
 * others are measured again without it.
 */
export async function compare(
  { work, pass }: Task,
  peers: readonly PeerProcess[],
  options: ComparisonOptions,
): Promise<Row[]> {
  const { say, nativeSamples, signal, ...given } = options;
  let able = peers.filter(({ greeting }) => greeting.passes.includes(pass));
  const attempt = async (body: (peer: PeerProcess) => Promise<void>) => {
    for (const peer of able) {
      signal?.throwIfAborted();
      await body(peer).catch(leaveOut);
    }
  };
  const leaveOut = (error: unknown): void => {
    // An interrupt also ends the child processes.
    signal?.throwIfAborted();
    if (!(error instanceof PeerError)) throw error;
    say(`  skipped: ${error.message}`);
    able = able.filter(({ name }) => name !== error.peer);
  };
  await attempt(peer => peer.ask({ do: 'prepare', work, pass }));
  const rows: Row[] = [];
  for (const wait of ['quiet', 'native'] as const) {
    const samples = wait === 'native' ? nativeSamples : given.samples;
    const sampleMs = wait === 'native' ? Math.max(NATIVE_SAMPLE_MS, given.sampleMs ?? 0) : given.sampleMs;
    const limits = { ...given, ...(samples !== undefined && { samples }), ...(sampleMs !== undefined && { sampleMs }) };
    for (let measured = false; !measured && able.length > 0; ) {
      const contenders = able.map(peer => new RemoteContender(peer, given.flight, wait));
      try {
        const results = await measure(contenders, { ...limits, signal });
        rows.push(...results.map((result, i) => rowOf({ work, pass }, contenders[i], result, WAITS[wait], samples)));
        for (const { impl, restlessness } of contenders)
          if (restlessness > RESTLESS)
            say(`  ${impl} took ${Math.round(100 * restlessness)} % of a core while others were measured`);
        measured = true;
      } catch (error) {
        leaveOut(error);
      }
    }
  }
  await attempt(peer => peer.ask({ do: 'release' }));
  return rows;
}

function rowOf(
  { work, pass }: Task,
  { impl, calls }: RemoteContender,
  measured: Measurement,
  wait: string,
  wanted = measured.samples,
): Row {
  const fewer = measured.samples < wanted ? `, ${measured.samples} of ${wanted} samples in the time given` : '';
  return {
    work: workName(work),
    pass,
    impl,
    ...timesOf(measured, { flops: flops(work, pass) }),
    ...(calls ?? {}),
    note: `${wait}${fewer}`,
  };
}

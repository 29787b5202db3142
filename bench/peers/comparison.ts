/** Measures peers that are ready, one piece of work after the other. */
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
  /** Repetitions between two waits: 1 on software adapters, more where waiting would take as long as the work. */
  readonly flight: number;
  /** Samples where peers wait as their users get it, which says little more than the quiet ones. */
  readonly nativeSamples: number;
  readonly say: (line: string) => void;
}

/** What the row of each way of waiting is marked with. */
export const WAITS: Readonly<Record<Wait, string>> = { quiet: 'quiet waiting', native: 'native waiting' };

/** A sample of native waiting lasts longer: what runs steps ahead needs some to run ahead of. Milliseconds. */
const NATIVE_SAMPLE_MS = 300;

/** CPU time of a peer that should be asleep, as a part of wall time, above which the others' times are in doubt. */
const RESTLESS = 0.1;

/** A peer as `measure` takes it. */
export class RemoteContender implements Contender {
  readonly peer: PeerProcess;
  /** WebGPU calls of a repetition, as counted at the last run. */
  calls: Ran['calls'] = null;
  /** The most CPU time that it took while it had nothing to do for a while, as a part of that. */
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
    // In a short pause, what a result leaves to be done weighs too much.
    if (ran.idleMs > 500) this.restlessness = Math.max(this.restlessness, ran.idleCpuMs / ran.idleMs);
    return { ms: ran.ms, cpuMs: ran.cpuMs };
  }
}

/**
 * Measures the peers that can do a task, quietly and then natively. A peer that fails is left out of it with a line; what
 * the others have measured is measured again without it.
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
    // The children of an interrupted benchmark end, too.
    signal?.throwIfAborted();
    if (!(error instanceof PeerError)) throw error;
    say(`  left out: ${error.message}`);
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

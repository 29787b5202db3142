/**
 * Converts a profile to Chrome's trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open. See "Trace Event
 * Format" in Chromium's documentation; times are microseconds.
 */
import type { Span } from '../../engine/program/profile.ts';
import type { StepProfile } from '../trainer.ts';
import { flopsByDispatch, type ProfileSummary, summarize, type TrainingProfile } from './profile.ts';

type Arguments = Readonly<Record<string, string | number>>;

export type TraceEvent =
  /** A span. */
  | {
      readonly ph: 'X';
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args?: Arguments;
    }
  /** A new value of a counter. */
  | {
      readonly ph: 'C';
      readonly name: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly args: Arguments;
    }
  /** The name of a process or a thread. */
  | { readonly ph: 'M'; readonly name: string; readonly pid: number; readonly tid: number; readonly args: Arguments };

export interface TraceFile {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
  readonly otherData: { readonly adapter: string; readonly clock: string; readonly summary: ProfileSummary };
}

const PID = 1;
const HOST = 1;
const GPU = 2;

/** The trace of a profile: a track for the host, one for the GPU, and a counter of live temporaries. */
export function traceFile(profile: TrainingProfile): TraceFile {
  const steps = [...profile.whole, ...profile.timed];
  const start = Math.min(...steps.map(({ data }) => data.begin));
  const shift = clockShift(profile.timed);
  const events = [
    ...profile.whole.flatMap(step => hostEvents(step, start)),
    ...profile.timed.flatMap(step => [...hostEvents(step, start), ...gpuEvents(step, shift - start)]),
  ];
  const summary = summarize(profile);
  return {
    traceEvents: [
      named('process_name', 0, 'daybreak train'),
      named('thread_name', HOST, 'host'),
      named('thread_name', GPU, 'GPU'),
      // A span must come before the spans inside it.
      ...events.sort((a, b) => a.ts - b.ts || durationOf(b) - durationOf(a)),
    ],
    displayTimeUnit: 'ms',
    otherData: {
      adapter: profile.adapter,
      clock: `dispatches by the ${summary.clock === 'gpu' ? "GPU's timestamps" : "host's clock, waiting for each"}`,
      summary,
    },
  };
}

type TimedEvent = Exclude<TraceEvent, { ph: 'M' }>;

const named = (name: string, tid: number, text: string): TraceEvent => ({
  ph: 'M',
  name,
  pid: PID,
  tid,
  args: { name: text },
});

const durationOf = (event: TimedEvent): number => (event.ph === 'X' ? event.dur : 0);

function span(name: string, cat: string, tid: number, { begin, end }: Span, start: number, args?: Arguments) {
  const microseconds = (time: number) => Math.round((time - start) * 1e6) / 1e3;
  const ts = microseconds(begin);
  // Round the end, not the duration, so that a span does not exceed the one around it.
  const dur = Math.round((microseconds(end) - ts) * 1e3) / 1e3;
  return { ph: 'X' as const, name, cat, pid: PID, tid, ts, dur, ...(args && { args }) };
}

function hostEvents({ result, data, run, readback }: StepProfile, start: number): TimedEvent[] {
  const { encode, submit, wait, clock } = run;
  const host = (name: string, of: Span, args?: Arguments) => span(name, 'host', HOST, of, start, args);
  const timed = clock === undefined ? 'no' : `yes, by the ${clock}'s clock`;
  return [
    host(`step ${result.step}`, { begin: data.begin, end: readback.end }, { loss: result.loss, timed }),
    host('data', data),
    // With host timing, each dispatch is encoded, submitted and waited for separately.
    ...(clock === 'host' ? [] : [host('encode', encode), host('submit', submit)]),
    host('wait', wait),
    host('readback', readback),
  ];
}

function gpuEvents({ run }: StepProfile, shift: number): TimedEvent[] {
  const flops = flopsByDispatch(run.dispatches);
  const first = Number(run.origin) / 1e6 + shift;
  return run.dispatches.flatMap((dispatch): TimedEvent[] => {
    const { call, bytes, alive, begin, end } = dispatch;
    const flop = flops.get(dispatch);
    const args = {
      operation: call.operation,
      workgroups: call.kernel.workgroups.join(' x '),
      bytes,
      ...(flop !== undefined && { GFLOP: flop / 1e9 }),
    };
    const event = span(call.kernel.name, 'gpu', GPU, { begin: first + begin, end: first + end }, 0, args);
    return [
      event,
      { ph: 'C', name: 'temporaries alive', pid: PID, tid: GPU, ts: event.ts, args: { MiB: alive / 2 ** 20 } },
    ];
  });
}

/**
 * The offset from the GPU's clock to the host's, in ms: the smallest for which no dispatch starts before it is submitted.
 */
function clockShift(timed: readonly StepProfile[]): number {
  if (timed[0].run.clock === 'host') return 0;
  return Math.max(...timed.map(({ run: { submit, origin } }) => submit.begin - Number(origin) / 1e6));
}

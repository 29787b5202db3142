/** The memory plan: whatever the program, no two temporaries that are alive at once share memory. Needs no GPU. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Node } from '../../engine/graph/value.ts';
import { type Buffer, rootOf } from '../../engine/program/buffer.ts';
import type { Call, Lowered } from '../../engine/program/lower.ts';
import { bytesAlive, bytesKeptAfter, planMemory } from '../../engine/program/plan.ts';
import type { Kernel } from '../../engine/text/kernel.ts';

const problem = { inputs: [], outputs: [], attributes: {}, baked: true };
const node = new Node({ name: 'any', infer: () => [], lower: () => ({ steps: [], scratch: [] }) }, [], [], {});
const kernel: Kernel = { name: 'any', wgsl: '', bindings: [], workgroups: [1, 1, 1] };

const temporary = (bytes: number, dedicated = false): Buffer => ({ bytes, origin: { kind: 'temporary' }, dedicated });

/** Programs of up to 12 temporaries, some dedicated, some parts of others, and up to 20 calls on any of them. */
const programs: fc.Arbitrary<Lowered> = fc
  .tuple(
    fc.array(fc.record({ bytes: fc.integer({ min: 4, max: 4096 }), dedicated: fc.boolean(), partOf: fc.nat() }), {
      minLength: 1,
      maxLength: 12,
    }),
    fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), { maxLength: 20 }),
    fc.array(fc.nat(), { maxLength: 3 }),
  )
  .map(([wanted, touched, copied]) => {
    const buffers: Buffer[] = [];
    for (const { bytes, dedicated, partOf } of wanted) {
      const whole = buffers[partOf % (2 * wanted.length)];
      if (whole && whole.bytes >= bytes)
        buffers.push({ bytes, origin: { kind: 'part', whole, offset: 0 }, dedicated: false });
      else buffers.push(temporary(bytes, dedicated && bytes % 3 === 0));
    }
    // What a program does not own is none of the plan's business.
    buffers.push({ bytes: 64, origin: { kind: 'argument', index: 0 }, dedicated: false });
    const pick = (n: number) => buffers[n % buffers.length];
    const calls: Call[] = touched.map(list => ({ kernel, buffers: list.map(pick), operation: 'any', problem, node }));
    const result: Buffer = { bytes: 4, origin: { kind: 'result', index: 0 }, dedicated: false };
    const copies = copied.map(n => ({ from: pick(n), to: result }));
    return { calls, copies, results: [result], variables: [] };
  });

const resized = new WeakMap<Buffer, Buffer>();

/** A temporary of 64 bytes that stands for this one (or for the one that it is a part of). */
function sameSize(buffer: Buffer): Buffer {
  const { root } = rootOf(buffer);
  if (root.origin.kind !== 'temporary') return root;
  const known = resized.get(root) ?? temporary(64);
  resized.set(root, known);
  return known;
}

/** First and last moment of each temporary that owns memory; copies come after all calls. */
function lifetimes({ calls, copies }: Lowered): Map<Buffer, { first: number; last: number }> {
  const lives = new Map<Buffer, { first: number; last: number }>();
  const touch = (buffer: Buffer, at: number) => {
    const { root } = rootOf(buffer);
    if (root.origin.kind !== 'temporary') return;
    lives.set(root, { first: lives.get(root)?.first ?? at, last: at });
  };
  calls.forEach((call, at) => {
    for (const buffer of call.buffers) touch(buffer, at);
  });
  for (const { from } of copies) touch(from, calls.length);
  return lives;
}

describe('a plan', () => {
  test('gives every temporary room, alone while it lives', () => {
    fc.assert(
      fc.property(programs, lowered => {
        const lives = lifetimes(lowered);
        const { slots, slotOf } = planMemory(lowered);
        expect(new Set(slotOf.keys())).toEqual(new Set(lives.keys()));
        const planned = slots.reduce((sum, bytes) => sum + bytes, 0);
        expect(planned).toBeGreaterThanOrEqual(Math.max(0, ...bytesAlive(lowered)));
        for (const [buffer, slot] of slotOf) expect(slots[slot]).toBeGreaterThanOrEqual(buffer.bytes);
        for (const [a, slot] of slotOf)
          for (const [b, other] of slotOf) {
            if (a === b || slot !== other) continue;
            expect(a.dedicated || b.dedicated, 'dedicated memory is shared').toBe(false);
            const [p, q] = [lives.get(a)!, lives.get(b)!];
            expect(p.last < q.first || q.last < p.first, `${p.first}-${p.last} and ${q.first}-${q.last}`).toBe(true);
          }
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('needs no more slots than temporaries live at once, where all are of one size and none is dedicated', () => {
    fc.assert(
      fc.property(programs, lowered => {
        const calls = lowered.calls.map(call => ({ ...call, buffers: call.buffers.map(sameSize) }));
        const copies = lowered.copies.map(({ from, to }) => ({ from: sameSize(from), to }));
        const program = { ...lowered, calls, copies };
        const lives = [...lifetimes(program).values()];
        const atOnce = Array.from(
          { length: calls.length + 1 },
          (_, at) => lives.filter(({ first, last }) => first <= at && at <= last).length,
        );
        expect(planMemory(program).slots.length).toBe(Math.max(...atOnce));
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  test('reuses one slot and another along a chain', () => {
    const chain = Array.from({ length: 10 }, () => temporary(1024));
    const calls = chain.slice(1).map((to, i) => ({ kernel, buffers: [chain[i], to], operation: 'any', problem, node }));
    expect(planMemory({ calls, copies: [], results: [], variables: [] }).slots).toEqual([1024, 1024]);
  });

  test('is the same for the same program', () => {
    fc.assert(
      fc.property(programs, lowered => {
        const [a, b] = [planMemory(lowered), planMemory(lowered)];
        expect([...a.slotOf.values()]).toEqual([...b.slotOf.values()]);
        expect(a.slots).toEqual(b.slots);
      }),
      { seed: 3 },
    );
  });
});

describe('what is kept', () => {
  const access = (...bindings: ('read' | 'write')[]): Kernel => ({ ...kernel, bindings });
  const call = (bindings: ('read' | 'write')[], buffers: Buffer[]): Call => ({
    kernel: access(...bindings),
    buffers,
    operation: 'any',
    problem,
    node,
  });

  test('after a result: what was written up to it and is read later', () => {
    const x: Buffer = { bytes: 40, origin: { kind: 'argument', index: 0 }, dedicated: false };
    const [early, activation, gradient] = [100, 1000, 10_000].map(bytes => temporary(bytes));
    const loss: Buffer = { bytes: 4, origin: { kind: 'result', index: 0 }, dedicated: false };
    const part: Buffer = { bytes: 500, origin: { kind: 'part', whole: activation, offset: 256 }, dedicated: false };
    const calls = [
      call(['read', 'write'], [x, early]),
      call(['read', 'write'], [early, activation]),
      call(['read', 'write'], [activation, loss]),
      call(['read', 'read', 'write'], [loss, part, gradient]),
      call(['read', 'write'], [gradient, temporary(7)]),
    ];
    expect(bytesKeptAfter({ calls, copies: [], results: [loss], variables: [] }, 0)).toBe(1000);
    // A result that is copied counts from where it was computed.
    const copied: Buffer = { bytes: 4, origin: { kind: 'result', index: 0 }, dedicated: false };
    const copies = [{ from: early, to: copied }];
    expect(bytesKeptAfter({ calls, copies, results: [copied], variables: [] }, 0)).toBe(100);
  });
});

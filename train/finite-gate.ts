/**
 * Keeps a training's state from what is not finite: an update that has any such number changes nothing. Found and
 * counted on the GPU, so that the host may run ahead.
 */
import type { Device } from '../engine/device/device.ts';
import type { Tensor } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { add, clamp, mul, notFinite, reshape, square, sub, sum, where } from '../kernels/index.ts';
import { pack } from '../kernels/movement/pack.ts';
import { gradientNorm } from './adam.ts';
import { Gathered } from './gathered.ts';
import { guardAssignments } from './kernels/guard.ts';
import type { Skip } from './skip.ts';
import type { Judged, Role, Trained } from './training.ts';

export class FiniteGate implements Disposable {
  /** So many skipped in a row end the training: from then on nothing changes. */
  readonly limit: number;
  /** Updates skipped in a row, one element. */
  readonly inRow: Variable;
  readonly #roles: readonly Role[];
  /** Those whose gradients are clipped by their norm. */
  readonly #clipped: readonly Role[];
  /** What is counted, in this order. */
  readonly #kinds: readonly string[];
  /** The running statistics, which are kept or replaced together. */
  readonly #statistics: Gathered | undefined;

  constructor(device: Device, trained: readonly (readonly [Role, Trained])[], limit: number) {
    const statistics = trained.flatMap(([, { net }]) =>
      net.namedVariables().flatMap(([, variable]) => (variable.requiresGrad ? [] : [variable])),
    );
    this.limit = limit;
    this.#statistics = statistics.length > 0 ? new Gathered(statistics, 'running statistics') : undefined;
    this.#roles = trained.map(([role]) => role);
    const clipped = trained.filter(([, { adam }]) => adam.clipNorm > 0);
    this.#clipped = clipped.map(([role]) => role);
    this.#kinds = [
      'losses',
      ...this.#roles.map(role => `${role}'s gradients`),
      ...clipped.map(([role]) => `${role}'s gradient norm`),
      ...(this.#statistics ? ['running statistics'] : []),
    ];
    this.inRow = variable(Float32Array.of(0), [1], { device, name: 'skipped in a row', trainable: false });
  }

  /**
   * In a trace: keeps everything assigned so far where there is anything not finite. `flag`, one element, is not 0 then: for
   * what is assigned later. `report`: one element each, what {@link skipOf} takes.
   */
  judge({ losses, gradients }: Judged): { readonly flag: Tensor; readonly report: readonly Tensor[] } {
    const one = (x: Tensor) => reshape(x, [1]);
    const total = (counts: readonly Tensor[]) => counts.reduce((all, count) => add(all, count));
    const counts = [
      total(this.#roles.map(role => one(notFinite(losses[role]!)))),
      // Packed as its optimizer packs them: once for both. Where a square overflows, Adam's second moment stays infinite and
      // its weight would never move again.
      ...this.#roles.map(role => one(sum(notFinite(square(pack(gradients[role]!)))))),
      // The sum of squares may overflow though no square does: all gradients would be scaled to 0, without a word.
      ...this.#clipped.map(role => notFinite(gradientNorm(gradients[role]!))),
      // A variance may overflow though losses and gradients do not.
      ...(this.#statistics ? [one(sum(notFinite(this.#statistics.whole)))] : []),
    ];
    // The count stays at the limit once it is there, and nothing changes any more.
    const ended = clamp(sub(this.inRow, this.limit - 1), 0, 1);
    const flag = add(total(counts), ended);
    guardAssignments(flag);
    this.inRow.assign(where(flag, clamp(add(this.inRow, 1), 0, this.limit), mul(flag, 0)));
    return { flag, report: [this.inRow, ...counts] };
  }

  /** What was reported of an update; undefined where it counted. */
  skipOf([inRow = 0, ...counts]: ArrayLike<number> & Iterable<number>): Skip | undefined {
    if (inRow === 0) return undefined;
    return {
      inRow,
      found: Object.fromEntries(this.#kinds.map((kind, i) => [kind, counts[i]]).filter(([, n]) => n !== 0)),
    };
  }

  /** Goes on after `inRow` skipped ones; where they are as many as the limit, the count begins again. */
  resume(inRow: number): void {
    this.inRow.write(Float32Array.of(inRow < this.limit ? inRow : 0));
  }

  /** Gives its memory back. */
  dispose(): void {
    this.inRow.dispose();
    this.#statistics?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Skips updates that contain NaN or infinity: they change nothing. Detection and counting happen on the GPU, so that the
 * host can run ahead.
 */
import type { Device } from '../engine/device/device.ts';
import type { Tensor } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { add, clamp, mul, notFinite, reshape, square, sub, sum, where } from '../kernels/index.ts';
import { pack } from '../kernels/movement/pack.ts';
import { Gathered } from '../nn/optim/gathered.ts';
import { gradientNorm } from '../nn/optim/optimizer.ts';
import { guardAssignments } from './kernels/guard.ts';
import type { Skip } from './skip.ts';
import type { Judged, Role, Trained } from './training.ts';

/** Checks the losses, gradients and running statistics of an update, and undoes it if they are not finite. */
export class FiniteGate implements Disposable {
  /** Number of consecutive skipped updates that ends the training: nothing changes afterwards. */
  readonly limit: number;
  /** Number of consecutive skipped updates, one element. */
  readonly inRow: Variable;
  readonly #roles: readonly Role[];
  /** Roles whose gradients are clipped by norm. */
  readonly #clipped: readonly Role[];
  /** Names of the counts, in order. */
  readonly #kinds: readonly string[];
  /** All running statistics in one buffer. */
  readonly #statistics: Gathered | undefined;

  constructor(device: Device, trained: readonly (readonly [Role, Trained])[], limit: number) {
    const statistics = trained.flatMap(([, { net }]) =>
      net.namedVariables().flatMap(([, variable]) => (variable.requiresGrad ? [] : [variable])),
    );
    this.limit = limit;
    this.#statistics = statistics.length > 0 ? new Gathered(statistics, 'running statistics') : undefined;
    this.#roles = trained.map(([role]) => role);
    const clipped = trained.filter(([, { optimizer }]) => optimizer.clipNorm > 0);
    this.#clipped = clipped.map(([role]) => role);
    this.#kinds = [
      'losses',
      ...this.#roles.map(role => `${role}'s gradients`),
      ...clipped.map(([role]) => `${role}'s gradient norm`),
      ...(this.#statistics ? ['running statistics'] : []),
    ];
    this.inRow = variable(Float32Array.of(0), [1], { device, name: 'consecutive skipped updates', trainable: false });
  }

  /**
   * Call while tracing. Undoes all assignments recorded so far if anything is not finite. `flag`, one element, is nonzero
   * then, for assignments recorded later. `report` holds scalars to pass to {@link skipOf} once they are read.
   */
  judge({ losses, gradients }: Judged): { readonly flag: Tensor; readonly report: readonly Tensor[] } {
    const one = (x: Tensor) => reshape(x, [1]);
    const total = (counts: readonly Tensor[]) => counts.reduce((all, count) => add(all, count));
    const counts = [
      total(this.#roles.map(role => one(notFinite(losses[role]!)))),
      // Packed like the optimizer packs them, so that both share one kernel. If a square overflows, Adam's second moment
      // stays infinite, and its weight never changes again.
      ...this.#roles.map(role => one(sum(notFinite(square(pack(gradients[role]!)))))),
      // The sum of squares can overflow although no square does. All gradients would silently be scaled to 0.
      ...this.#clipped.map(role => notFinite(gradientNorm(gradients[role]!))),
      // A variance can overflow although losses and gradients do not.
      ...(this.#statistics ? [one(sum(notFinite(this.#statistics.whole)))] : []),
    ];
    // Once the count has reached the limit it stays there, and nothing changes.
    const ended = clamp(sub(this.inRow, this.limit - 1), 0, 1);
    const flag = add(total(counts), ended);
    guardAssignments(flag);
    this.inRow.assign(where(flag, clamp(add(this.inRow, 1), 0, this.limit), mul(flag, 0)));
    return { flag, report: [this.inRow, ...counts] };
  }

  /** Decodes the `report` of an update; undefined if it was not skipped. */
  skipOf([inRow = 0, ...counts]: ArrayLike<number> & Iterable<number>): Skip | undefined {
    if (inRow === 0) return undefined;
    return {
      inRow,
      found: Object.fromEntries(this.#kinds.map((kind, i) => [kind, counts[i]]).filter(([, n]) => n !== 0)),
    };
  }

  /** Sets the number of consecutive skipped updates; 0 if it is at the limit. */
  resume(inRow: number): void {
    this.inRow.write(Float32Array.of(inRow < this.limit ? inRow : 0));
  }

  /** Frees its memory. */
  dispose(): void {
    this.inRow.dispose();
    this.#statistics?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

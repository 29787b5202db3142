/**
 * Recomputes the running statistics of batch norm for the current weights (PyTorch: `torch.optim.swa_utils.update_bn`). The
 * statistics from training lag behind the weights and depend on the last few batches, and those of a moving average belong
 * to other weights. Such a network gives pictures a colour cast or the wrong brightness although its training loss is fine.
 */
import { type Compiled, compile } from '../engine/compile.ts';
import type { Tensor } from '../engine/tensor.ts';
import type { Variable } from '../engine/variable.ts';
import { BatchNorm2d } from '../nn/index.ts';
import type { Module } from '../nn/module.ts';
import type { BatchSource } from './pictures/crop-source.ts';

interface Statistic {
  readonly variable: Variable;
  /** Factor of a batch's statistic in the running one. */
  readonly momentum: number;
}

/** Averages the statistics of a network over the first batches of a source. */
export class Recalibration implements Disposable {
  readonly #net: Module;
  readonly #source: BatchSource;
  readonly #batches: number;
  readonly #statistics: readonly Statistic[];
  readonly #program: Compiled<[Tensor], undefined>;

  /** `batches`: number of batches to average over, always the first ones of `source`. */
  constructor(net: Module, source: BatchSource, batches: number) {
    this.#net = net;
    this.#source = source;
    this.#batches = batches;
    this.#statistics = [...net.modules()].flatMap(module =>
      module instanceof BatchNorm2d
        ? [module.runningMean, module.runningVar].map(variable => ({ variable, momentum: module.momentum }))
        : [],
    );
    this.#program = compile((batch: Tensor) => {
      net.forward(source.gather(batch).lr);
      return undefined;
    });
  }

  /** Replaces the running statistics by their means over the batches. Leaves the network in training mode. */
  async run(): Promise<void> {
    const [first] = this.#statistics;
    if (!first) return;
    const { device } = first.variable;
    const sums = this.#statistics.map(({ variable }) => new Float64Array(variable.size));
    this.#net.train();
    for (let i = 0; i < this.#batches; i++) {
      for (const { variable } of this.#statistics) variable.write(new Float32Array(variable.size));
      using batch = await this.#source.batch(i);
      this.#program(batch);
      const read = await device.read(this.#statistics.map(({ variable }) => variable.storage));
      for (const [k, bytes] of read.entries())
        new Float32Array(bytes.buffer).forEach((value, j) => {
          sums[k][j] += value;
        });
    }
    for (const [k, { variable, momentum }] of this.#statistics.entries())
      variable.write(Float32Array.from(sums[k], sum => sum / (momentum * this.#batches)));
  }

  dispose(): void {
    this.#program.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The checkpoints of a run: `last` to resume from, `best` by its evaluations, and `step-N` to keep. */

import type { Selection } from '../report/selection.ts';
import type { CheckpointName } from '../run-folder/folder.node.ts';
import type { OpenRun } from './open-run.node.ts';
import { countersOf, saveState } from './state.ts';

/** Saves checkpoints when told to, and remembers what is saved. */
export class Checkpoints {
  readonly #run: OpenRun;
  readonly #selection: Selection;
  /** Score of the checkpoint `best`; null if there is none. */
  #best: number | null;
  /** Updates and best score in the checkpoint `last`. */
  #saved: { readonly step: number; readonly best: number | null | undefined };
  /** The update for which the evaluated generator is up to date. */
  #prepared: number | undefined;

  constructor(run: OpenRun, selection: Selection) {
    this.#run = run;
    this.#selection = selection;
    const { best, bestBy = 'psnr' } = run.resumed ?? { best: null };
    const comparable = bestBy === selection.by;
    this.#best = comparable ? best : null;
    this.#saved = { step: run.trainer.step, best: comparable && run.resumed ? best : undefined };
  }

  get best(): number | null {
    return this.#best;
  }

  /** Updates in the checkpoint `last`; 0 if there is none. */
  get savedStep(): number {
    return this.#saved.step;
  }

  /** Brings the evaluated generator up to date, once per update: its average, and its running statistics. */
  async prepare(): Promise<void> {
    const { networks, config, trainer, recalibration } = this.#run;
    if (this.#prepared === trainer.step) return;
    await networks.updateEvaluated(config);
    await recalibration?.run();
    this.#prepared = trainer.step;
  }

  /** Saves `last`, unless it is saved already. */
  async saveLast(): Promise<void> {
    const { step } = this.#run.trainer;
    if (this.#saved.step !== step || this.#saved.best !== this.#best) await this.#saveLast(await this.#state());
  }

  async #saveLast(state: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#run.folder.saveCheckpoint('last', state);
    this.#saved = { step: this.#run.trainer.step, best: this.#best };
  }

  /** Saves `last` and `step-N`, and deletes the oldest `step-N` beyond `--keep`. */
  async saveNumbered(): Promise<void> {
    const { folder, trainer, config } = this.#run;
    const { step } = trainer;
    const state = await this.#state();
    await this.#saveLast(state);
    // While updates are being skipped the weights may be about to break: older checkpoints are worth more.
    if ((await trainer.skipped()).inRow > 0 || this.#resumedWhileSkipping()) return;
    // A finished run that is resumed may know a best score that it did not know when it saved step-N.
    if (!(await folder.checkpoints()).includes(`step-${step}`)) await folder.saveCheckpoint(`step-${step}`, state);
    await folder.pruneCheckpoints(config.keep);
  }

  /** Whether this is the update that the session resumed after, and it was skipped. The trainer's count restarts then. */
  #resumedWhileSkipping(): boolean {
    const { resumed, trainer } = this.#run;
    return resumed?.step === trainer.step && (resumed.skipped?.inRow ?? 0) > 0;
  }

  /** Saves `best` if the score is better than the best so far. */
  async offer(score: number): Promise<void> {
    if (!this.#selection.isBetter(score, this.#best)) return;
    await this.#run.folder.saveCheckpoint('best', await this.#state(score));
    this.#best = score;
  }

  async #state(best = this.#best): Promise<Map<string, Uint8Array>> {
    const { networks, trainer } = this.#run;
    await this.prepare();
    return await saveState(networks, trainer, best, this.#selection.by);
  }

  /**
   * The newest checkpoint with fewer effective updates than the current state, because the last update that was not
   * skipped may have broken the weights. Undefined if there is none.
   */
  async earlier(): Promise<CheckpointName | undefined> {
    const { folder, trainer } = this.#run;
    const effective = trainer.step - (await trainer.skipped()).all;
    const names = (await folder.checkpoints()).filter(name => name !== 'last');
    // best, then step-N by N.
    for (const name of names.toReversed()) {
      const files = await folder.readCheckpoint(name).catch(() => undefined);
      if (!files) continue;
      const { step, skipped } = countersOf(files, name);
      if (step - (skipped?.all ?? 0) < effective) return name;
    }
    return undefined;
  }
}

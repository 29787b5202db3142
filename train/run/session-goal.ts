/** Checks that a resumed run has updates left. */
import { ConfigError } from '../errors.ts';

/**
 * @param made updates that the run has made. They cannot be undone.
 * @throws ConfigError if `steps` or `stopAfter` is less.
 */
export function checkGoal(steps: number, stopAfter: number | undefined, made: number): void {
  const wrong = (flag: string, given: number) =>
    new ConfigError(
      `${flag}: expected at least ${made}, the updates that this run has made, got ${given}; to start another run from ` +
        'an earlier state, use --init with one of its checkpoints step-N',
      flag === '--steps' ? 'steps' : undefined,
    );
  if (steps < made) throw wrong('--steps', steps);
  if (stopAfter !== undefined && stopAfter < made) throw wrong('--stop-after', stopAfter);
}

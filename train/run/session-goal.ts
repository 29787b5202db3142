/** Whether a run that is resumed can come to where it is told to. */
import { ConfigError } from '../errors.ts';

/**
 * Updates cannot be taken back.
 * @param made updates that the run has made.
 * @throws ConfigError where `steps` or `stopAfter` is less than that.
 */
export function checkGoal(steps: number, stopAfter: number | undefined, made: number): void {
  const wrong = (flag: string, given: number) =>
    new ConfigError(
      `${flag}: given ${given}, expected at least ${made}, the updates that this run has made; an earlier state is in ` +
        'its checkpoints step-N, from which --init starts another run',
      flag === '--steps' ? 'steps' : undefined,
    );
  if (steps < made) throw wrong('--steps', steps);
  if (stopAfter !== undefined && stopAfter < made) throw wrong('--stop-after', stopAfter);
}

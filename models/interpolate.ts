/**
 * Network interpolation: Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCV
 * workshops 2018, §3.4. Interpolating between an SRResNet and the SRGAN trained from it trades texture for fidelity, without
 * the artefacts of averaging images.
 */
import { type HostTensor, WeightsError } from '../nn/module.ts';

/**
 * Weights (1 − α)·from + α·to, running statistics included.
 * @throws WeightsError if the networks differ, or α is not between 0 and 1.
 */
export function interpolate(
  from: ReadonlyMap<string, HostTensor>,
  to: ReadonlyMap<string, HostTensor>,
  alpha: number,
): Map<string, HostTensor> {
  if (!(alpha >= 0 && alpha <= 1)) throw new WeightsError(`interpolate: expected α between 0 and 1, got ${alpha}.`);
  const lacking = [...to.keys()].find(name => !from.has(name));
  if (lacking !== undefined) throw new WeightsError(`interpolate: only one of the networks has ${lacking}.`);
  const mixed = new Map<string, HostTensor>();
  for (const [name, { shape, data }] of from) {
    const other = to.get(name);
    if (!other) throw new WeightsError(`interpolate: only one of the networks has ${name}.`);
    if (shape.join() !== other.shape.join())
      throw new WeightsError(
        `interpolate: expected equal shapes of ${name}, got [${shape.join(', ')}] and [${other.shape.join(', ')}].`,
      );
    mixed.set(name, { shape, data: data.map((value, i) => (1 - alpha) * value + alpha * other.data[i]) });
  }
  return mixed;
}

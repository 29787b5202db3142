/** Networks whose every number is its own, as training leaves them: no slope, mean or variance is at its first value. */
import { Philox } from '../../engine/basics/philox.ts';
import { type SRResNet, type SRResNetOptions, srresnet } from '../../models/srresnet.ts';

/** A network with random slopes, scales, shifts and running statistics besides its random convolutions. */
export function trainedLike(options: SRResNetOptions): SRResNet {
  const net = srresnet(options);
  const random = new Philox(options.seed ?? 0, 77);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  for (const [name, variable] of net.namedVariables()) {
    const ranges: [RegExp, number, number][] = [
      [/prelu/, 0.05, 0.4],
      [/running_mean|bn.*bias/, -0.3, 0.3],
      [/running_var|bn.*weight/, 0.5, 1.5],
    ];
    const range = ranges.find(([pattern]) => pattern.test(name));
    if (range) variable.write(Float32Array.from({ length: variable.size }, () => between(range[1], range[2])));
  }
  return net;
}

/** Three planes of random levels in [0, 1]. */
export function randomPlanes(width: number, height: number, seed = 0): Float32Array {
  const random = new Philox(seed, 78);
  return Float32Array.from({ length: 3 * width * height }, () => random.integer(256) / 255);
}

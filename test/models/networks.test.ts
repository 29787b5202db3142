/** What holds for every declared network. A new one needs only a small size here. */
import { describe, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { upscalePicture } from '../../eval/upscale.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { decodeDiscriminator, decodeModel, encodeModel } from '../../models/model-file.ts';
import { completed, created, type Network, type NetworkConfig, type NetworkModule } from '../../models/network.ts';
import { NETWORKS, networkOf, UPSCALERS } from '../../models/networks.ts';
import { readSafetensors, writeSafetensors } from '../../models/safetensors.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { WeightsError } from '../../nn/module.ts';
import { sharedDevice } from '../device.ts';
import { formulaPicture } from '../image/fixtures.ts';

sharedDevice();

/** Sizes that compute fast. */
const SMALL: Readonly<Record<string, NetworkConfig>> = {
  srresnet: { channels: 4, blocks: 1 },
  srcnn: { channels: 4, hidden: 3, kernel: 3 },
  espcn: { channels: 4, hidden: 3 },
  vdsr: { channels: 4, layers: 3 },
  drcn: { channels: 4, recursions: 3 },
  discriminator: { channels: 2, size: 16, hidden: 3 },
};

/** A small network whose weights are all large enough to matter. */
function small(network: Network, more: Partial<NetworkConfig> = {}): NetworkModule {
  const net = created(network, { ...SMALL[network.name], ...more }, { seed: 3 });
  const random = new Philox(5, 9);
  for (const variable of net.parameters()) {
    const [, ...taps] = variable.shape;
    const bound = 1.5 / Math.sqrt(taps.reduce((a, b) => a * b, 1));
    variable.write(Float32Array.from({ length: variable.size }, () => (2 * random.uniform() - 1) * bound));
  }
  return net;
}

const decode = (network: Network, bytes: Uint8Array) =>
  network.role === 'upscaler' ? decodeModel(bytes, 'f') : decodeDiscriminator(bytes, 'f');

describe.each(NETWORKS.map(network => [network.name, network] as const))('%s', (name, network) => {
  test('is found by its name, and has a line on its paper', () => {
    expect(networkOf(name)).toBe(network);
    expect(NETWORKS.filter(other => other.name === name)).toHaveLength(1);
    expect(name).toMatch(/^[a-z][a-z0-9]*$/);
    expect(network.paper).toMatch(/".+", \w+ \d{4}$/);
  });

  test('has as many parameters as the paper’s, without first weights too', () => {
    using net = network.build(completed(network, {}));
    expect(net.parameterCount).toBe(network.parameters);
  });

  test('first weights follow from the seed', async () => {
    const weightsOf = async (seed: number) => {
      using net = created(network, SMALL[name], { seed });
      return await net.stateDict();
    };
    const first = await weightsOf(1);
    expect(await weightsOf(1)).toEqual(first);
    const other = await weightsOf(2);
    expect([...other].some(([key, { data }]) => data.some((value, i) => value !== first.get(key)!.data[i]))).toBe(true);
    for (const { data } of first.values()) expect(data.every(Number.isFinite)).toBe(true);
  });

  test('a file gives back configuration and weights, and says what it is', async () => {
    using net = small(network);
    const bytes = await encodeModel(net, { metadata: { step: '3' } });
    const { metadata } = readSafetensors(bytes);
    expect(metadata).toMatchObject({ arch: name, step: '3' });
    using read = decode(network, bytes);
    expect(read.network).toBe(network);
    expect(read.config).toEqual(net.config);
    expect(await read.stateDict()).toEqual(await net.stateDict());
    expect(await encodeModel(read, { metadata: { step: '3' } })).toEqual(bytes);
  });

  test('every field but the hidden ones is in the tensors', async () => {
    for (const [key, field] of Object.entries(network.fields)) {
      const other =
        field.kind === 'choice'
          ? field.values[1]
          : field.kind === 'flag'
            ? !field.default
            : nextOf(key, field, net(key));
      using changed = small(network, { [key]: other });
      const found = network.configOf(await changed.stateDict());
      expect(found[key], key).toBe(field.inTensors ? changed.config[key] : field.default);
    }
    function net(key: string): number {
      return Number(SMALL[name][key]);
    }
  });

  test('a file of another network is refused in one line', async () => {
    const foreign = writeSafetensors({ x: { shape: [1], data: Float32Array.of(1) } }, { arch: name });
    expect(() => decode(network, foreign)).toThrow(WeightsError);
    expect(() => decode(network, foreign)).toThrow(/^f: not .+ weights: [^\n]+ is missing, expected \[[^\n]+\]\.$/);
  });

  test('metadata that the tensors contradict, or that is out of range, is refused', async () => {
    using net = small(network);
    const state = await net.stateDict();
    const [key] = Object.keys(network.fields);
    const config = { ...net.config, [key]: Number(net.config[key]) + 1 };
    const bytes = writeSafetensors(state, { arch: name, config: JSON.stringify(config) });
    expect(() => decode(network, bytes)).toThrow(/^f: metadata "config" is \{.+\}, but the tensors are those of \{/);
    expect(() => created(network, { [key]: 0 }, { seed: 1 })).toThrow(WeightsError);
    expect(() => created(network, { [key]: 0.5 }, { seed: 1 })).toThrow(WeightsError);
  });
});

/** Another value of an integer field. Kernels are odd. */
const nextOf = (key: string, { multipleOf }: { readonly multipleOf: number }, value: number) =>
  value + (key === 'kernel' ? 2 : multipleOf);

describe.each(UPSCALERS.map(network => [network.name, network] as const))('%s upscales', (_, network) => {
  test('tiles equal the whole bit for bit', async () => {
    using net = small(network);
    using upscaler = new NetworkUpscaler(net, network.name);
    const picture = formulaPicture([26, 21, 3, 1]);
    const whole = await upscalePicture(picture, upscaler, { tile: 0 });
    expect([whole.width, whole.height]).toEqual([104, 84]);
    const tilings: number[] = [];
    const onTiling = ({ count }: { count: number }) => tilings.push(count);
    expect(await upscalePicture(picture, upscaler, { tile: 3, onTiling })).toEqual(whole);
    expect(tilings[0]).toBeGreaterThan(4);
  });

  test.runIf(network.recipe.valid)('no zeros beyond the edges, which training never showed', async () => {
    using net = small(network);
    using upscaler = new NetworkUpscaler(net, network.name);
    const [width, height] = [13, 11];
    const white = createPicture(width, height, 1, new Uint8Array(width * height).fill(230));
    const { data } = await upscalePicture(white, upscaler, { tile: 0 });
    // All pixels of the same phase are equal.
    const stride = 4 * width;
    const repeated = data.map((_, i) => data[(4 + (Math.floor(i / stride) % 4)) * stride + 4 + (i % 4)]);
    expect(data).toEqual(repeated);
  });

  test('the halo is what an input pixel reaches, exactly', async () => {
    using net = small(network);
    using upscaler = new NetworkUpscaler(net, network.name);
    const { halo, images, scale } = upscaler;
    const [side, middle] = [2 * halo + 5, halo + 2];
    const planes = images.colour === 'rgb' ? 3 : 1;
    const factor = images.enlarged ? 1 : scale;
    const random = new Philox(1, 2);
    const input = Float32Array.from({ length: planes * side ** 2 }, () => random.uniform());
    const before = await upscaler.run(input, side, side);
    const [rows, columns] = [new Set<number>(), new Set<number>()];
    // Both signs, since ReLU passes one.
    for (const change of [30, -30]) {
      const changed = Float32Array.from(input);
      for (let c = 0; c < planes; c++) changed[(c * side + middle) * side + middle] += change;
      const after = await upscaler.run(changed, side, side);
      after.forEach((value, i) => {
        if (value === before[i]) return;
        rows.add(Math.floor(Math.floor(i / (factor * side)) / factor) % side);
        columns.add(Math.floor((i % (factor * side)) / factor));
      });
    }
    for (const found of [rows, columns])
      expect([Math.min(...found), Math.max(...found)]).toEqual([middle - halo, middle + halo]);
  });

  test('grey, alpha and seamless textures are kept', async () => {
    using net = small(network);
    using upscaler = new NetworkUpscaler(net, network.name);
    const grey = await upscalePicture(formulaPicture([7, 6, 2, 4]), upscaler);
    expect(grey).toMatchObject({ width: 28, height: 24, channels: 2 });
    const texture = formulaPicture([9, 8, 3, 5]);
    const wrapped = await upscalePicture(texture, upscaler, { wrap: true });
    const rolled = await upscalePicture(roll(texture, 3, 2), upscaler, { wrap: true });
    expect(rolled).toEqual(roll(wrapped, 12, 8));
  });
});

test('the input of VDSR is clamped as the program that trained it did', async () => {
  const vdsr = networkOf('vdsr')!;
  for (const [biases, metadata, clamp] of [
    [true, {}, true],
    [false, {}, false],
    // Ours say which.
    [false, { arch: 'vdsr', config: '{"channels":4,"layers":3,"biases":false}' }, true],
  ] as const) {
    using net = small(vdsr, { biases });
    using read = decodeModel(writeSafetensors(await net.stateDict(), metadata), 'f');
    expect(read.config).toMatchObject({ biases, clamp });
    using upscaler = new NetworkUpscaler(read, 'vdsr');
    expect(upscaler.images.clamp !== undefined).toBe(clamp);
  }
});

/** A texture moved by (x, y), across its edges. */
function roll({ width, height, channels, data }: Picture, x: number, y: number): Picture {
  const rolled = createPicture(width, height, channels);
  rolled.data.forEach((_, i) => {
    const [c, column, row] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const [toColumn, toRow] = [(column + x) % width, (row + y) % height];
    rolled.data[(toRow * width + toColumn) * channels + c] = data[i];
  });
  return rolled;
}

/** Which SRResNet a file's weights belong to: what its metadata say of it, and how that must agree with its tensors. */
import { type HostTensor, WeightsError } from './module.ts';
import { type SRResNetConfig, type SRResNetOptions, srresnetConfig, srresnetConfigOf } from './srresnet.ts';

/** What a file's metadata say of its network: what differs from the defaults, besides channels and blocks. */
export function srresnetConfigText(config: SRResNetConfig): string {
  const { channels, blocks, ...choices } = config;
  const defaults: Readonly<Record<string, unknown>> = { ...srresnetConfigOf({}) };
  const others = Object.entries(choices).filter(([name, value]) => value !== defaults[name]);
  return JSON.stringify({ channels, blocks, ...Object.fromEntries(others) });
}

/**
 * The network that the metadata of a file and its tensors describe: our own `config`, which must be what the tensors are
 * (else one of the two is damaged), or the `output_activation` of files of others (`none` or `tanh`).
 * @throws WeightsError where they do not agree, or say what this network cannot.
 */
export function statedSRResNetConfig(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, HostTensor>,
): SRResNetConfig {
  const found = srresnetConfig(tensors);
  if (metadata.arch === 'srresnet' && metadata.config !== undefined) return agreed(metadata.config, found);
  // Others' scores were computed with zeros around their pictures.
  const published = { ...found, edges: 'zero' } as const;
  const { output_activation: activation = 'none' } = metadata;
  if (activation === 'none' || activation === 'linear') return published;
  if (activation === 'tanh') return { ...published, output: 'tanh' };
  throw new WeightsError(`the metadata "output_activation" is "${activation}", known are none and tanh.`);
}

function agreed(whole: string, found: SRResNetConfig): SRResNetConfig {
  const text = whole.length > 200 ? `${whole.slice(0, 199)}…` : whole;
  let parsed: unknown;
  try {
    parsed = JSON.parse(whole);
  } catch (cause) {
    throw new WeightsError('the metadata "config" is not JSON.', { cause });
  }
  const { channels, blocks, ...choices } = (parsed ?? {}) as Record<string, unknown>;
  const said = srresnetConfigOf({ ...choices, channels: Number(channels), blocks: Number(blocks) } as SRResNetOptions);
  if (said.output !== 'linear' && said.output !== 'tanh')
    throw new WeightsError(`the metadata "config" is ${text}: known outputs are linear and tanh.`);
  if (said.edges !== 'mirror' && said.edges !== 'zero')
    throw new WeightsError(`the metadata "config" is ${text}: known edges are mirror and zero.`);
  const same = (name: keyof SRResNetConfig) => said[name] === found[name];
  if (same('channels') && same('blocks') && same('slopes') && same('biases') && same('middle')) return said;
  const shown = srresnetConfigText(found).replaceAll(':', ': ').replaceAll(',', ', ');
  throw new WeightsError(`the metadata "config" is ${text}, the tensors are those of ${shown}.`);
}

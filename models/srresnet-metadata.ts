/** Determines the SRResNet of a file from its metadata, which must agree with its tensors. */
import { type HostTensor, WeightsError } from './module.ts';
import { type SRResNetConfig, type SRResNetOptions, srresnetConfig, srresnetConfigOf } from './srresnet.ts';

/** A network's configuration for a file's metadata: channels, blocks, and everything that differs from the defaults. */
export function srresnetConfigText(config: SRResNetConfig): string {
  const { channels, blocks, ...choices } = config;
  const defaults: Readonly<Record<string, unknown>> = { ...srresnetConfigOf({}) };
  const others = Object.entries(choices).filter(([name, value]) => value !== defaults[name]);
  return JSON.stringify({ channels, blocks, ...Object.fromEntries(others) });
}

/**
 * The network that a file's metadata and tensors describe: our own `config`, which must match the tensors (otherwise one of
 * the two is damaged), or the `output_activation` of third-party files (`none` or `tanh`).
 * @throws WeightsError if they disagree, or describe something that this network does not support.
 */
export function statedSRResNetConfig(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, HostTensor>,
): SRResNetConfig {
  const found = srresnetConfig(tensors);
  if (metadata.arch === 'srresnet' && metadata.config !== undefined) return agreed(metadata.config, found);
  // Third-party scores were computed with zero padding.
  const published = { ...found, edges: 'zero' } as const;
  const { output_activation: activation = 'none' } = metadata;
  if (activation === 'none' || activation === 'linear') return published;
  if (activation === 'tanh') return { ...published, output: 'tanh' };
  throw new WeightsError(`metadata "output_activation": expected none or tanh, got "${activation}".`);
}

function agreed(whole: string, found: SRResNetConfig): SRResNetConfig {
  const text = whole.length > 200 ? `${whole.slice(0, 199)}…` : whole;
  let parsed: unknown;
  try {
    parsed = JSON.parse(whole);
  } catch (cause) {
    throw new WeightsError('metadata "config" is not JSON.', { cause });
  }
  const { channels, blocks, ...choices } = (parsed ?? {}) as Record<string, unknown>;
  const said = srresnetConfigOf({ ...choices, channels: Number(channels), blocks: Number(blocks) } as SRResNetOptions);
  if (said.output !== 'linear' && said.output !== 'tanh')
    throw new WeightsError(`metadata "config": expected an output of linear or tanh, got ${text}.`);
  if (said.edges !== 'mirror' && said.edges !== 'zero')
    throw new WeightsError(`metadata "config": expected edges of mirror or zero, got ${text}.`);
  const same = (name: keyof SRResNetConfig) => said[name] === found[name];
  if (same('channels') && same('blocks') && same('slopes') && same('biases') && same('middle')) return said;
  const shown = srresnetConfigText(found).replaceAll(':', ': ').replaceAll(',', ', ');
  throw new WeightsError(`metadata "config" is ${text}, but the tensors are those of ${shown}.`);
}

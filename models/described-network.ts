/** Determines the network of a file, and its configuration, from metadata and tensors, which must agree. */
import { WeightsError } from '../nn/module.ts';
import {
  checkConfig,
  completed,
  configText,
  type HostTensors,
  type Metadata,
  type Network,
  type NetworkConfig,
} from './network.ts';
import { NETWORKS } from './networks.ts';

/** The network's name in a file: `arch` in ours, `arch` or `model` in those of others. */
export const statedName = ({ arch, model }: Metadata): string | undefined => arch ?? model;

/**
 * Which of `accepted` a file holds: the one that its metadata names, else the first that recognizes its tensors, else the
 * first.
 */
export function describedNetwork<N extends Network>(
  accepted: readonly [N, ...N[]],
  metadata: Metadata,
  tensors: HostTensors,
): N {
  const name = statedName(metadata);
  return (
    accepted.find(network => network.name === name) ??
    accepted.find(network => NETWORKS.some(known => known.name === name) === false && network.recognizes?.(tensors)) ??
    accepted[0]
  );
}

/**
 * The configuration that a file describes: our own `config`, which must match the tensors (otherwise one of the two is
 * damaged), or what files of others state.
 * @throws WeightsError if they disagree, or describe something that this network does not support.
 */
export function describedConfig(network: Network, metadata: Metadata, tensors: HostTensors): NetworkConfig {
  const found = network.configOf(tensors);
  if (metadata.arch !== network.name || metadata.config === undefined)
    return network.published?.(metadata, found) ?? found;
  return agreed(network, metadata.config, found);
}

function agreed(network: Network, whole: string, found: NetworkConfig): NetworkConfig {
  const text = whole.length > 200 ? `${whole.slice(0, 199)}…` : whole;
  let parsed: unknown;
  try {
    parsed = JSON.parse(whole);
  } catch (cause) {
    throw new WeightsError('metadata "config" is not JSON.', { cause });
  }
  const said = completed(network, (parsed ?? {}) as Partial<NetworkConfig>);
  const differs = Object.entries(network.fields).some(([key, { inTensors }]) => inTensors && said[key] !== found[key]);
  if (differs) {
    const shown = configText(network, found).replaceAll(':', ': ').replaceAll(',', ', ');
    throw new WeightsError(`metadata "config" is ${text}, but the tensors are those of ${shown}.`);
  }
  try {
    checkConfig(network, said);
  } catch (cause) {
    throw new WeightsError(`metadata "config" is ${text}. ${(cause as Error).message}`, { cause });
  }
  return said;
}

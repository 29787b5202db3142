/** All networks. To add one, write its file and name it here. */
import { discriminatorNetwork } from './discriminator.ts';
import { drcnNetwork } from './drcn.ts';
import { espcnNetwork } from './espcn.ts';
import type { Network, UpscalingNetwork } from './network.ts';
import { srcnnNetwork } from './srcnn.ts';
import { srresnetNetwork } from './srresnet.ts';
import { vdsrNetwork } from './vdsr.ts';

/** The first is what files are taken for that say nothing and that no network recognizes. */
export const NETWORKS: readonly [UpscalingNetwork, ...Network[]] = [
  srresnetNetwork,
  srcnnNetwork,
  espcnNetwork,
  vdsrNetwork,
  drcnNetwork,
  discriminatorNetwork,
];

/** Those that upscale. */
export const UPSCALERS: readonly [UpscalingNetwork, ...UpscalingNetwork[]] = [
  NETWORKS[0],
  ...NETWORKS.slice(1).filter(network => network.role === 'upscaler'),
];

/** The network of this name, or undefined. */
export const networkOf = (name: string): Network | undefined => NETWORKS.find(network => network.name === name);

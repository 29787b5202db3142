/** All networks. To add one, write its file and name it here. */
import { discriminatorNetwork } from './discriminator.ts';
import { drcnNetwork } from './drcn.ts';
import { espcnNetwork } from './espcn.ts';
import type { Network, UpscalingNetwork } from './network.ts';
import { srcnnNetwork } from './srcnn.ts';
import { srresnetNetwork } from './srresnet.ts';
import { vdsrNetwork } from './vdsr.ts';

/** Those that upscale. The first is what files are taken for that say nothing and that no network recognizes. */
const upscalers = [srresnetNetwork, srcnnNetwork, espcnNetwork, vdsrNetwork, drcnNetwork] as const;

/** The upscaling networks. The first is what files are taken for that say nothing and that no network recognizes. */
export const UPSCALERS: readonly [UpscalingNetwork, ...UpscalingNetwork[]] = upscalers;
/** All networks: the upscaling ones, then the discriminator. */
export const NETWORKS: readonly [UpscalingNetwork, ...Network[]] = [...UPSCALERS, discriminatorNetwork];

/** The network of this name, or undefined. */
export const networkOf = (name: string): Network | undefined => NETWORKS.find(network => network.name === name);

type SizesOf<C> = C extends unknown ? { [K in keyof C]: number extends C[K] ? K : never }[keyof C] : never;

/** Integer fields of the upscaling networks, such as `channels`: options of `daybreak train`. */
export type SizeName = SizesOf<Parameters<(typeof upscalers)[number]['describe']>[0]>;

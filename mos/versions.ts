/** The versions of a picture that Ledig et al. had rated (section 3.3 and appendix A.3), and their mean opinion scores. */

/** The label of the originals, which every study contains. */
export const ORIGINAL = 'original';

/** The sets of the paper, in the order of `PaperVersion.mos`. */
export const PAPER_SETS = ['Set5', 'Set14', 'BSD100'] as const;

export interface PaperVersion {
  /** The paper's name. */
  readonly name: string;
  /** Names that Daybreak may know this very method by. */
  readonly methods: readonly string[];
  /** Names of shipped networks of the same kind but of another size or training, which keep their own name in a study. */
  readonly standIns?: readonly string[];
  /** Mean opinion scores of tables 1 and 2 on each of `PAPER_SETS`; null: not rated there. */
  readonly mos: readonly [number, number, number | null];
}

/** The twelve versions, in the order of figure 5. */
export const PAPER_VERSIONS: readonly PaperVersion[] = [
  { name: 'nearest', methods: ['nearest'], mos: [1.28, 1.2, 1.11] },
  { name: 'bicubic', methods: ['bicubic'], mos: [1.97, 1.8, 1.47] },
  { name: 'SRCNN', methods: [], standIns: ['srcnn'], mos: [2.57, 2.26, 1.87] },
  { name: 'SelfExSR', methods: ['selfexsr'], mos: [2.65, 2.34, 1.89] },
  { name: 'DRCN', methods: ['drcn'], mos: [3.26, 2.84, 2.12] },
  { name: 'ESPCN', methods: [], standIns: ['espcn'], mos: [2.89, 2.52, 2.01] },
  { name: 'SRResNet-MSE', methods: ['srresnet-mse'], standIns: ['srresnet'], mos: [3.37, 2.98, 2.29] },
  { name: 'SRResNet-VGG22', methods: ['srresnet-vgg22'], mos: [3.46, 3.15, null] },
  { name: 'SRGAN-MSE', methods: ['srgan-mse'], mos: [3.77, 3.43, null] },
  { name: 'SRGAN-VGG22', methods: ['srgan-vgg22'], mos: [3.78, 3.57, null] },
  { name: 'SRGAN-VGG54', methods: ['srgan-vgg54'], standIns: ['srgan'], mos: [3.58, 3.72, 3.56] },
  { name: ORIGINAL, methods: [ORIGINAL], mos: [4.32, 4.32, 4.46] },
];

/** What a study contains if no methods are named. */
export interface DefaultVersions {
  /** Names of methods, in the paper's order. */
  readonly methods: readonly string[];
  /** Versions of the paper that no method here computes, each with its stand-in's name if there is one. */
  readonly missing: readonly { readonly name: string; readonly standIn: string | undefined }[];
}

/** The paper's versions as far as they are among `available`, the names of methods; without the originals. */
export function defaultVersions(available: readonly string[]): DefaultVersions {
  const found = PAPER_VERSIONS.filter(({ name }) => name !== ORIGINAL).map(({ name, methods, standIns = [] }) => ({
    name,
    method: methods.find(method => available.includes(method)),
    standIn: standIns.find(method => available.includes(method)),
  }));
  return {
    methods: found.flatMap(({ method, standIn }) => method ?? standIn ?? []),
    missing: found.filter(({ method }) => method === undefined).map(({ name, standIn }) => ({ name, standIn })),
  };
}

/** The paper's version that a label names, whatever its case; undefined for other labels. */
export function paperVersion(label: string): PaperVersion | undefined {
  const wanted = label.toLowerCase();
  return PAPER_VERSIONS.find(({ name, methods, standIns = [] }) =>
    [name, ...methods, ...standIns].some(one => one.toLowerCase() === wanted),
  );
}

/** True if the paper did not have this version of the pictures of a set rated. */
export function isLeftOut(label: string, set: string): boolean {
  const place = (PAPER_SETS as readonly string[]).indexOf(set);
  return place >= 0 && paperVersion(label)?.mos[place] === null;
}

/** The figures that Ledig et al. 2017 print: tables 1 and 2, ×4, in the paper's protocol. */

/** PSNR in dB, SSIM, and the mean opinion score from 1 to 5. */
export interface PrintedFigures {
  readonly psnr: number;
  readonly ssim: number;
  readonly mos: number;
}

/** A method of the paper. */
export interface PaperMethod {
  /** As the tables call it. */
  readonly name: string;
  /** Labels of rows that it is compared with, in lower case. */
  readonly labels: readonly string[];
  /** By set; table 1 has no BSD100. */
  readonly printed: Readonly<Record<string, PrintedFigures>>;
}

type Line = readonly [psnr: number, ssim: number, mos: number];

const method = (name: string, labels: readonly string[], set5: Line, set14: Line, bsd100?: Line): PaperMethod => {
  const figures = ([psnr, ssim, mos]: Line): PrintedFigures => ({ psnr, ssim, mos });
  return {
    name,
    labels: [name.toLowerCase(), ...labels],
    printed: { Set5: figures(set5), Set14: figures(set14), ...(bsd100 && { BSD100: figures(bsd100) }) },
  };
};

/** Table 2, in its order, then what only table 1 has. Its SRResNet and SRGAN are SRResNet-MSE and SRGAN-VGG54 of table 1. */
export const PAPER_METHODS: readonly PaperMethod[] = [
  method('nearest', [], [26.26, 0.7552, 1.28], [24.64, 0.71, 1.2], [25.02, 0.6606, 1.11]),
  method('bicubic', [], [28.43, 0.8211, 1.97], [25.99, 0.7486, 1.8], [25.94, 0.6935, 1.47]),
  // The 9-1-5 network of 2014.
  method('SRCNN', ['srcnn_915_x4'], [30.07, 0.8627, 2.57], [27.18, 0.7861, 2.26], [26.68, 0.7291, 1.87]),
  method('SelfExSR', [], [30.33, 0.872, 2.65], [27.45, 0.7972, 2.34], [26.83, 0.7387, 1.89]),
  method('DRCN', [], [31.52, 0.8938, 3.26], [28.02, 0.8074, 2.84], [27.21, 0.7493, 2.12]),
  method('ESPCN', [], [30.76, 0.8784, 2.89], [27.66, 0.8004, 2.52], [27.02, 0.7442, 2.01]),
  method('SRResNet', ['srresnet-mse'], [32.05, 0.9019, 3.37], [28.49, 0.8184, 2.98], [27.58, 0.762, 2.29]),
  method('SRGAN', ['srgan-vgg54'], [29.4, 0.8472, 3.58], [26.02, 0.7397, 3.72], [25.16, 0.6688, 3.56]),
  method('SRResNet-VGG22', [], [30.51, 0.8803, 3.46], [27.19, 0.7807, 3.15]),
  method('SRGAN-MSE', [], [30.64, 0.8701, 3.77], [26.92, 0.7611, 3.43]),
  method('SRGAN-VGG22', [], [29.84, 0.8468, 3.78], [26.44, 0.7518, 3.57]),
];

/** The paper's method that a row is compared with, by the row's label. */
export const paperMethodOf = (label: string): PaperMethod | undefined =>
  PAPER_METHODS.find(({ labels }) => labels.includes(label.toLowerCase()));

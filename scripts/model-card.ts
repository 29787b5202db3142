/** The card of a pretrained network: architecture, training data, training and scores. */

import { count, duration, signed } from '../common/text.ts';
import { markdownTable } from '../eval/markdown-table.ts';
import { PROTOCOLS } from '../eval/protocols.ts';
import { TEXTURE } from '../eval/texture.ts';
import type { NetworkImages } from '../models/network.ts';
import type { PretrainedModel, PretrainedScores } from '../models/pretrained.ts';
import type { RunFacts } from './run-facts.ts';

/** One set: number of images, and mean scores of bicubic, of the trained weights and of those in the file. */
export interface SetScores {
  readonly set: string;
  readonly pictures: number;
  readonly bicubic: PretrainedScores;
  readonly float32: PretrainedScores;
  readonly float16: PretrainedScores;
}

export interface CardFacts {
  /** What the network reads and gives. */
  readonly images: NetworkImages;
  readonly model: PretrainedModel;
  readonly run: RunFacts;
  /** One line per source: images and their licence. */
  readonly trainedOn: readonly string[];
  /** Facts that are not in the run folder. */
  readonly notes: readonly string[];
  readonly licence: string;
  readonly sets: readonly SetScores[];
  /** The adapter on which the scores were computed. */
  readonly scoredOn: string;
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
  markdownTable(
    heads.map(head => ({ head, align: 'left' })),
    rows,
  );
const list = (items: readonly string[]) => items.map(item => `- ${item}`).join('\n');

/** PSNR to three decimals and SSIM to four, as `daybreak eval` prints them. */
export const pairOf = (psnr: number, ssim: number): string => `${psnr.toFixed(3)} / ${ssim.toFixed(4)}`;

/** What a network reads and gives, in words. */
export function inputAndOutput({ colour, enlarged, output: [black, white] }: NetworkImages): string {
  const planes = { rgb: 'RGB', luma: 'Y of BT.601 / 255', 'full luma': 'full-range Y' }[colour];
  const input = `${planes} in [0, 1]${enlarged ? ', enlarged four times by bicubic,' : ''}`;
  const size = enlarged ? 'of the same size' : 'four times as wide and high';
  const chroma = colour === 'rgb' ? '' : '; chroma is enlarged by bicubic';
  return `${input} to ${colour === 'rgb' ? 'RGB' : 'Y'} in [${black}, ${white}] ${size}${chroma}`;
}

/** The card as Markdown. */
export function modelCard({ model, images, run, trainedOn, notes, licence, sets, scoredOn }: CardFacts): string {
  const { name, summary, architecture, parameters, file, bytes, sha256 } = model;
  const finished = run.updates === run.planned ? '' : ` of ${count(run.planned)} planned`;
  const took = run.seconds === undefined ? '' : `, ${duration(run.seconds)}`;
  return `# ${name}

${summary}

${table(
  ['', ''],
  [
    ['architecture', architecture],
    ['parameters', count(parameters)],
    ['file', `\`${file}\`, ${count(bytes)} bytes, safetensors in float16`],
    ['SHA-256', `\`${sha256}\``],
    ['input, output', inputAndOutput(images)],
    ['licence of the weights', licence],
  ],
)}

\`daybreak upscale photo.png -o large.png --model ${name}\`

## Data

${list(trainedOn)}

Low-resolution images were made from these as for the benchmarks: MATLAB's bicubic, a quarter of the sides, 8 bit. No image
of the sets below was used for training.

## Training

\`\`\`sh
${run.command}
\`\`\`

${list([
  `${count(run.updates)}${finished} updates${took}${run.date === undefined ? '' : `, begun ${run.date}`}`,
  ...run.adapters.map(adapter => `adapter: ${adapter}`),
  `commit: ${run.commits.join(', ') || 'unknown'}`,
  `settings: ${run.settings.join(', ')}`,
  ...notes,
])}

## Scores

PSNR in dB / SSIM, means over each set, computed from this file on ${scoredOn}.

${table(
  [
    'set',
    'pictures',
    'bicubic, matlab',
    `${name}, matlab`,
    'bicubic, paper',
    `${name}, paper`,
    'bicubic, texture',
    `${name}, texture`,
  ],
  sets.map(({ set, pictures, bicubic, float16 }) => [
    set,
    String(pictures),
    pairOf(bicubic.psnr, bicubic.ssim),
    pairOf(float16.psnr, float16.ssim),
    pairOf(bicubic.psnr_paper, bicubic.ssim_paper),
    pairOf(float16.psnr_paper, float16.ssim_paper),
    bicubic.texture.toFixed(3),
    float16.texture.toFixed(3),
  ]),
)}

${list([...Object.entries(PROTOCOLS).map(([protocol, meaning]) => `${protocol}: ${meaning}`), `texture: ${TEXTURE}`])}

float16: ${sets.map(one => `${one.set} ${change(one)}`).join(', ')} compared with the same weights in float32 (matlab).

## Limits

It was trained on bicubic downscaling by 4, without noise or compression: it also enlarges JPEG artefacts and noise in the
input. ×4 only. Added texture is a guess; do not use it as evidence.
`;
}

/** The effect of rounding the weights. */
function change({ float32, float16 }: SetScores): string {
  const psnr = float16.psnr - float32.psnr;
  const ssim = float16.ssim - float32.ssim;
  return `${signed(psnr, 4)} dB / ${signed(ssim, 5)}`;
}

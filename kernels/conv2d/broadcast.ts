/**
 * Forward and input gradient for adapters where a load is dear and a subgroup broadcast nearly free (software drivers):
 * a workgroup is one subgroup, its lanes are output channels. Each turn loads a patch of the input, one value a lane,
 * and one weight a lane; then every value of the patch travels to all lanes by subgroupBroadcast. For a 3×3 kernel and
 * two groups of 8 channels 31 loads feed 1,152 multiply-adds.
 *
 * The input is read in place: what lies outside the image is selected away, by masks that are computed once.
 */
import { type AdapterTraits, grid, input, type Kernel, type Lowering, output } from '../../engine/kernel.ts';
import { Numbers } from '../../engine/numbers.ts';
import { type Conv2dProblem, type Conv2dVariant, describe, outputSize } from './problem.ts';

/** The convolution of stride 1 that is really computed: the input gradient is one with flipped, transposed weights. */
interface Correlation {
  readonly name: string;
  readonly n: number;
  /** Channels, rows and columns that are read, and channels, rows and columns that are written. */
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly k: number;
  readonly oh: number;
  readonly ow: number;
  readonly r: number;
  readonly s: number;
  readonly padding: readonly [number, number];
  readonly bias: boolean;
  readonly baked: boolean;
  /** Element of the weight for output channel `k`, input channel `c` and tap (p, q): constants of the text. */
  readonly weight: { readonly perOutput: number; readonly perInput: number; readonly flipped: boolean };
}

/** Pixels and groups of channels that one workgroup computes. */
interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly groups: number;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const lines = (n: number, line: (i: number) => string): string => range(n).map(line).join('\n    ');

/** Accumulators beyond which registers spill without anything gained. */
const MOST_ACCUMULATORS = 128;

/** The tile that wastes least: every tile costs the same, and loads weigh on small ones. */
function tileOf({ oh, ow, k, r, s, baked }: Correlation, lanes: number): Tile {
  const groupsNeeded = Math.ceil(k / lanes);
  const square = { rows: 8, columns: 8, groups: Math.min(groupsNeeded, 2) };
  if (!baked) return square;
  let best: Tile = square;
  let least = Number.POSITIVE_INFINITY;
  for (const groups of groupsNeeded === 1 ? [1] : [1, 2])
    for (let rows = 2; rows <= 12; rows++)
      for (let columns = 4; columns <= 16; columns++) {
        if (rows * columns * groups > MOST_ACCUMULATORS) continue;
        const tiles = Math.ceil(oh / rows) * Math.ceil(ow / columns) * Math.ceil(groupsNeeded / groups);
        // One turn of the loop: loads at 26 multiply-adds each, the turn itself at 20, see bench/NOTES.md.
        const patchRows = r > 3 ? rows : rows + r - 1;
        const turns = r > 3 ? r : 1;
        const taps = r > 3 ? s : r * s;
        const loads = Math.ceil((patchRows * (columns + s - 1)) / lanes) + groups * taps;
        const cost = tiles * turns * (loads * 26 + 20 + (rows * columns * groups + rows * (columns + s - 1)) * taps);
        if (cost < least) {
          least = cost;
          best = { rows, columns, groups };
        }
      }
  return best;
}

function lower(problem: Correlation, { subgroupSize: lanes }: AdapterTraits): Lowering {
  const { n, c, h, w, k, oh, ow, r, s, padding, bias, weight } = problem;
  const { rows, columns, groups } = tileOf(problem, lanes);
  // Tall kernels loop over their rows too, else their text would take seconds to compile.
  const looped = r > 3;
  const patchRows = looped ? rows : rows + r - 1;
  const pitch = columns + s - 1;
  const loads = Math.ceil((patchRows * pitch) / lanes);
  const across = Math.ceil(ow / columns);
  const down = Math.ceil(oh / rows);
  const blocks = Math.ceil(k / lanes / groups);
  const numbers = new Numbers(problem.baked, { n, h, w, oh, ow, across, down });
  const tapsInText = looped ? s : r * s;
  const tapAddress = (tap: number) => {
    const flat = weight.flipped ? (looped ? s - 1 - tap : r * s - 1 - tap) : tap;
    return String(flat);
  };
  const accumulator = (g: number, i: number, j: number) => `a${(g * rows + i) * columns + j}`;
  const value = (position: number) => `subgroupBroadcast(v${Math.floor(position / lanes)}, ${position % lanes}u)`;
  const position = (i: number) =>
    `let e${i} = i32(lane) + ${i * lanes}; let y${i} = e${i} / ${pitch} + top; let x${i} = e${i} % ${pitch} + left;`;

  const multiply = (row: number, p: number) => `{
      ${lines(pitch, j => `let b${j} = ${value((row + (looped ? 0 : p)) * pitch + j)};`)}
      ${range(groups)
        .flatMap(g =>
          range(s).flatMap(q =>
            range(columns).map(
              j =>
                `${accumulator(g, row, j)} = fma(b${j + q}, k${g * tapsInText + (looped ? 0 : p * s) + q}, ${accumulator(g, row, j)});`,
            ),
          ),
        )
        .join('\n      ')}
    }`;
  const body = `${lines(loads, i => `let v${i} = select(0.0, x[p + f${i}], m${i});`)}
    ${lines(groups * tapsInText, i => `let k${i} = weight[q${Math.floor(i / tapsInText)} + ${tapAddress(i % tapsInText)}];`)}
    ${range(rows)
      .flatMap(row => (looped ? [multiply(row, 0)] : range(r).map(p => multiply(row, p))))
      .join('\n    ')}`;
  const inChannels = `for (var ci = 0; ci < ${c}; ci++) {
    ${body}
    p += plane; ${lines(groups, g => `q${g} += ${weight.perInput};`)}
  }`;
  // Rows of the kernel outside, channels inside: masks change with the row only.
  const rowTap = weight.flipped ? `(${r - 1} - tapRow) * ${s}` : `tapRow * ${s}`;
  const outer = looped
    ? `for (var tapRow = 0; tapRow < ${r}; tapRow++) {
    ${lines(
      loads,
      i => `let m${i} = y${i} + tapRow >= 0 && y${i} + tapRow < h && x${i} >= 0 && x${i} < w && e${i} < ${patchRows * pitch};
    let f${i} = select(0, (y${i} + tapRow) * w + x${i}, m${i});`,
    )}
    var p = image * ${c} * plane;
    ${lines(groups, g => `var q${g} = c${g} * ${weight.perOutput} + ${rowTap};`)}
    ${inChannels}
  }`
    : `${lines(
        loads,
        i => `let m${i} = y${i} >= 0 && y${i} < h && x${i} >= 0 && x${i} < w && e${i} < ${patchRows * pitch};
    let f${i} = select(0, y${i} * w + x${i}, m${i});`,
      )}
    var p = image * ${c} * plane;
    ${lines(groups, g => `var q${g} = c${g} * ${weight.perOutput};`)}
    ${inChannels}`;
  const wgsl = `enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
${bias ? '@group(0) @binding(2) var<storage, read> bias: array<f32>;' : ''}
@group(0) @binding(${bias ? 3 : 2}) var<storage, read_write> result: array<f32>;
${numbers.binding(bias ? 4 : 3)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u) {
  ${numbers.locals}
  let group = i32(id.y * num.x + id.x);
  let tile = group % (across * down); let block = group / (across * down) % ${blocks}; let image = group / (across * down) / ${blocks};
  if (image >= n) { return; }
  let column0 = tile % across * ${columns}; let row0 = tile / across * ${rows};
  let top = row0 - ${padding[0]}; let left = column0 - ${padding[1]};
  let plane = h * w;
  // Lanes beyond the last channel repeat it and do not store.
  ${lines(groups, g => `let o${g} = (block * ${groups} + ${g}) * ${lanes} + i32(lane); let c${g} = min(o${g}, ${k - 1});`)}
  ${lines(loads, position)}
  ${lines(groups * rows * columns, i => `var a${i} = 0.0;`)}
  ${outer}
  ${lines(
    groups,
    g => `{ // a loop, because each store in the text costs compile time
    var all = array<f32, ${rows * columns}>(${range(rows * columns)
      .map(i => `a${g * rows * columns + i}`)
      .join(', ')});
    let start = (image * ${k} + o${g}) * oh * ow;
    ${bias ? `let b = bias[c${g}];` : ''}
    if (o${g} < ${k}) {
      for (var i = 0; i < ${rows * columns}; i++) {
        let y = row0 + i / ${columns}; let x = column0 + i % ${columns};
        if (y < oh && x < ow) { result[start + y * ow + x] = all[i]${bias ? ' + b' : ''}; }
      }
    }
  }`,
  )}
}`;
  const kernel: Kernel = {
    name: problem.name,
    wgsl,
    bindings: bias ? ['read', 'read', 'read', 'write'] : ['read', 'read', 'write'],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(across * down * blocks * n),
  };
  return { steps: [{ kernel, operands: [input(0), input(1), ...(bias ? [input(2)] : []), output(0)] }], scratch: [] };
}

/** One fixed subgroup size of 4 to 32 lanes, stride 1, and a kernel whose rows fit the text. */
function accepts({ stride, r, s, padding }: Conv2dProblem, { software, subgroupSize }: AdapterTraits): boolean {
  return (
    software &&
    subgroupSize >= 4 &&
    subgroupSize <= 32 &&
    stride[0] === 1 &&
    stride[1] === 1 &&
    s <= 11 &&
    r * s > 1 &&
    padding[0] < r &&
    padding[1] < s
  );
}

export const broadcastForward: Conv2dVariant = {
  name: 'broadcast',
  accepts,
  lower(problem, traits) {
    const { n, c, h, w, k, r, s, padding, bias, baked } = problem;
    const [oh, ow] = outputSize(problem);
    const weight = { perOutput: c * r * s, perInput: r * s, flipped: false };
    const name = `conv2d.forward.broadcast ${describe(problem)}`;
    return lower({ name, n, c, h, w, k, oh, ow, r, s, padding, bias, baked, weight }, traits);
  },
};

export const broadcastInputGradient: Conv2dVariant = {
  name: 'broadcast',
  accepts,
  lower(problem, traits) {
    const { n, c, h, w, k, r, s, padding, baked } = problem;
    const [oh, ow] = outputSize(problem);
    const weight = { perOutput: r * s, perInput: c * r * s, flipped: true };
    const name = `conv2d.inputGradient.broadcast ${describe(problem)}`;
    return lower(
      {
        name,
        n,
        c: k,
        h: oh,
        w: ow,
        k: c,
        oh: h,
        ow: w,
        r,
        s,
        padding: [r - 1 - padding[0], s - 1 - padding[1]],
        bias: false,
        baked,
        weight,
      },
      traits,
    );
  },
};

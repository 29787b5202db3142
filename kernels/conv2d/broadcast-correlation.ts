/**
 * The kernel behind the broadcast variants of the forward pass and the input gradient, for adapters where a load is
 * dear and a subgroup broadcast nearly free (software drivers). A workgroup is one subgroup; its lanes are output
 * channels. Each turn loads a patch of the input, one value a lane, and one weight a lane; then every value of the patch
 * travels to all lanes by subgroupBroadcast. For a 3×3 kernel and two groups of 8 channels 31 loads feed 1,152
 * multiply-adds.
 *
 * The input is read in place: what lies outside the image is selected away, by masks that are computed once. So are the
 * weights: a strided load costs no more than a contiguous one there. Masks are joined by &, because && branches: with
 * a hundred branches SwiftShader compiles for minutes and takes all memory.
 */
import { type AdapterTraits, grid, input, type Kernel, type Lowering, output } from '../../engine/kernel.ts';
import { Numbers } from '../../engine/numbers.ts';

/** A correlation of stride 1, written as it is computed. */
export interface Correlation {
  readonly name: string;
  readonly n: number;
  /** Channels, rows and columns that are read. */
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Channels, rows and columns that are written. */
  readonly k: number;
  readonly oh: number;
  readonly ow: number;
  readonly r: number;
  readonly s: number;
  readonly padding: readonly [number, number];
  readonly bias: boolean;
  readonly baked: boolean;
  readonly weight: WeightLayout;
}

/** Where the weight of an output channel, input channel and tap (p, q) lies: base + c·perInput + p·perRow + q. */
export interface WeightLayout {
  /** WGSL for the first element of an output channel, which is given as an expression. */
  base(channel: string): string;
  readonly perInput: number;
  readonly perRow: number;
  /** Taps run backwards. */
  readonly flipped: boolean;
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

/** Rows of the kernel in one turn of the loop: all of a small one, else the text would take seconds to compile. */
const rowsOfTurn = (r: number, s: number): number => (r <= 3 ? r : s === 1 && r % 3 === 0 ? 3 : 1);

/** The tile that wastes least: every tile costs the same, and loads weigh on small ones. */
function tileOf({ oh, ow, k, r, s, baked }: Correlation, lanes: number): Tile {
  const needed = Math.ceil(k / lanes);
  const square = { rows: 8, columns: 8, groups: Math.min(needed, 2) };
  if (!baked) return square;
  const turnRows = rowsOfTurn(r, s);
  let best: Tile = square;
  let least = Number.POSITIVE_INFINITY;
  for (const groups of needed === 1 ? [1] : [1, 2])
    for (let rows = 2; rows <= 12; rows++)
      for (let columns = 4; columns <= 16; columns++) {
        if (rows * columns * groups > MOST_ACCUMULATORS) continue;
        const tiles = Math.ceil(oh / rows) * Math.ceil(ow / columns) * Math.ceil(needed / groups);
        // In multiply-adds: a load costs 26, a turn of the loop 20, a broadcast 1 (bench/NOTES.md).
        const loads = Math.ceil(((rows + turnRows - 1) * (columns + s - 1)) / lanes) + groups * turnRows * s;
        const arithmetic = (rows * columns * groups * s + rows * (columns + s - 1)) * turnRows;
        const cost = tiles * (r / turnRows) * (loads * 26 + 20 + arithmetic);
        if (cost < least) {
          least = cost;
          best = { rows, columns, groups };
        }
      }
  return best;
}

/** The statements that add up one workgroup's tile in `a0 …`. */
function accumulate(problem: Correlation, { rows, columns, groups }: Tile, lanes: number): string {
  const { c, r, s, weight } = problem;
  const turnRows = rowsOfTurn(r, s);
  const pitch = columns + s - 1;
  const patch = (rows + turnRows - 1) * pitch;
  const loads = Math.ceil(patch / lanes);
  const taps = turnRows * s;
  const tapOffset = (tap: number) => {
    const [p, q] = [Math.floor(tap / s), tap % s];
    return weight.flipped ? `- ${p * weight.perRow - (s - 1 - q)}` : `+ ${p * weight.perRow + q}`;
  };
  const value = (at: number) => `subgroupBroadcast(v${Math.floor(at / lanes)}, ${at % lanes}u)`;
  const multiply = (row: number, p: number) => `{
      ${lines(pitch, j => `let b${j} = ${value((row + p) * pitch + j)};`)}
      ${range(groups)
        .flatMap(g => range(s).flatMap(q => range(columns).map(j => [g, q, j] as const)))
        .map(([g, q, j]) => {
          const a = `a${(g * rows + row) * columns + j}`;
          return `${a} = fma(b${j + q}, k${g * taps + p * s + q}, ${a});`;
        })
        .join('\n      ')}
    }`;
  const firstTap = weight.flipped ? `(${r - 1} - tapRow) * ${weight.perRow}` : `tapRow * ${weight.perRow}`;
  // Rows of the kernel outside, channels inside: masks change with the row only.
  return `for (var tapRow = 0; tapRow < ${r}; tapRow += ${turnRows}) {
    ${lines(
      loads,
      i => `let m${i} = (y${i} + tapRow >= 0) & (y${i} + tapRow < h) & (x${i} >= 0) & (x${i} < w) & (e${i} < ${patch});
    let f${i} = select(0, (y${i} + tapRow) * w + x${i}, m${i});`,
    )}
    var p = image * ${c} * plane;
    ${lines(groups, g => `var q${g} = ${weight.base(`c${g}`)} + ${firstTap};`)}
    for (var ci = 0; ci < ${c}; ci++) {
    ${lines(loads, i => `let v${i} = select(0.0, x[p + f${i}], m${i});`)}
    ${lines(groups * taps, i => `let k${i} = weight[q${Math.floor(i / taps)} ${tapOffset(i % taps)}];`)}
    ${range(rows)
      .flatMap(row => range(turnRows).map(p => multiply(row, p)))
      .join('\n    ')}
    p += plane; ${lines(groups, g => `q${g} += ${weight.perInput};`)}
    }
  }`;
}

/** The tile's results to memory: in a loop, because each store in the text costs compile time. */
function store({ k, bias }: Correlation, { rows, columns, groups }: Tile): string {
  const pixels = rows * columns;
  return lines(
    groups,
    g => `{
    var all = array<f32, ${pixels}>(${range(pixels)
      .map(i => `a${g * pixels + i}`)
      .join(', ')});
    let start = (image * ${k} + o${g}) * oh * ow;
    ${bias ? `let b = bias[c${g}];` : ''}
    if (o${g} < ${k}) {
      for (var i = 0; i < ${pixels}; i++) {
        let y = row0 + i / ${columns}; let x = column0 + i % ${columns};
        if (y < oh && x < ow) { result[start + y * ow + x] = all[i]${bias ? ' + b' : ''}; }
      }
    }
  }`,
  );
}

/** One kernel: reads x and weight (and bias), writes the result. Needs one fixed subgroup size. */
export function lowerCorrelation(problem: Correlation, { subgroupSize: lanes }: AdapterTraits): Lowering {
  const { n, h, w, k, oh, ow, r, s, padding, bias } = problem;
  const tile = tileOf(problem, lanes);
  const { rows, columns, groups } = tile;
  const pitch = columns + s - 1;
  const loads = Math.ceil(((rows + rowsOfTurn(r, s) - 1) * pitch) / lanes);
  const [across, down] = [Math.ceil(ow / columns), Math.ceil(oh / rows)];
  const blocks = Math.ceil(k / lanes / groups);
  const numbers = new Numbers(problem.baked, { n, h, w, oh, ow, across, down });
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
  ${lines(
    loads,
    i =>
      `let e${i} = i32(lane) + ${i * lanes}; let y${i} = e${i} / ${pitch} + top; let x${i} = e${i} % ${pitch} + left;`,
  )}
  ${lines(groups * rows * columns, i => `var a${i} = 0.0;`)}
  ${accumulate(problem, tile, lanes)}
  ${store(problem, tile)}
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

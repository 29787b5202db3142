/** Loading and storing a broadcast kernel's sums: the text before and after its loops. */
import { epilogueText, type Position } from '../../../engine/text/epilogue.ts';
import { lines } from '../../../engine/text/repeat.ts';
import { type Layout, sumsOfGroup } from './broadcast-layout.ts';

/** Loads or stores the tile's sums in a loop, because each load and store in the text costs compile time. */
function moveSums(layout: Layout, move: (group: number) => { before: string; each: string; after: string }): string {
  const { problem, groups, columns, pixels } = layout;
  const { k, phases, spread, dilation } = problem;
  const several = phases.length > 1;
  const pixel = several ? `i % ${pixels}` : 'i';
  const phase = (of: 'row' | 'column') =>
    several ? ` + array(${phases.map(p => p[of]).join(', ')})[i / ${pixels}]` : '';
  const spreadBy = (axis: 0 | 1) => {
    const by = (dilation ?? spread)[axis];
    return `${by === 1 ? '' : ` * ${by}`}${dilation ? ` + ${axis === 0 ? 'firstRow' : 'firstColumn'}` : ''}`;
  };
  return lines(groups, g => {
    const { before, each, after } = move(g);
    return `{
    ${before}
    let start = (image * ${k} + o${g}) * oh * ow;
    if (o${g} < ${k}) {
      for (var i = 0; i < ${pixels * phases.length} * one; i++) {
        let y = (row0 + ${pixel} / ${columns})${spreadBy(0)}${phase('row')};
        let x = (column0 + i % ${columns})${spreadBy(1)}${phase('column')};
        if (y < oh && x < ow) { ${each} }
      }
    }
    ${after}
  }`;
  });
}

/** The position of a sum, in the text of {@link moveSums}. */
const positionOf = (layout: Layout, group: number): Position => ({
  image: layout.parts > 1 ? `(image / ${layout.parts})` : 'image',
  channel: channelOf(layout, `o${group}`),
  row: 'y',
  column: 'x',
  sizes: [layout.problem.k * layout.parts, 'oh', 'ow'],
});

/** A channel of its group as one of all. */
const channelOf = ({ problem, parts }: Layout, channel: string): string =>
  parts > 1 ? `(part * ${problem.k} + ${channel})` : channel;

const PLACE = 'start + y * ow + x';

/** Stores sums to the result, with bias and epilogue. */
export function store(layout: Layout): string {
  const { problem, held, whole } = layout;
  const { c, bias } = problem;
  const epilogue = epilogueText(problem.epilogue);
  // Bias and epilogue are applied with the last part of the input channels.
  return moveSums(layout, g => {
    const sums = sumsOfGroup(layout, g);
    const value = bias ? '(all[i] + b)' : 'all[i]';
    const { statements, result } = epilogue.perElement(value, positionOf(layout, g), PLACE);
    const before = [
      `var all = array<f32, ${sums.length}>(${sums.join(', ')});`,
      ...(bias ? [`let b = bias[${channelOf(layout, `c${g}`)}];`] : []),
      ...epilogue.perChannel(channelOf(layout, `c${g}`)),
      ...(whole ? [] : [`let last = first + ${held} >= ${c};`]),
    ];
    const each = [...statements, `result[place] = ${whole ? result : `select(all[i], ${result}, last)`};`];
    return { before: before.join('\n    '), each: each.join(' '), after: '' };
  });
}

/** Initializes sums to zero, or to the result of the previous input channels. */
export function begin(layout: Layout): string {
  const { problem, groups, pixels, whole } = layout;
  const zeros = lines(groups * pixels * problem.phases.length, i => `var a${i} = 0.0;`);
  if (whole) return zeros;
  const { place } = epilogueText(problem.epilogue);
  const resume = moveSums(layout, g => {
    const sums = sumsOfGroup(layout, g);
    return {
      before: `var all = array<f32, ${sums.length}>();`,
      each: `all[i] = result[${place(positionOf(layout, g), PLACE)}];`,
      after: sums.map((sum, i) => `${sum} = all[${i}];`).join(' '),
    };
  });
  return `${zeros}
  if (first > 0) {
  ${resume}
  }`;
}

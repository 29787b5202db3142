/**
 * The script of a report's page: shows a chart's values at the pointer, and adds a button that copies the command. It is
 * text because it runs in the reader's browser, where it expects `charts`: the `HoverData` of each chart on the page.
 */

export const SCRIPT = String.raw`
const figure = value => {
  if (value == null) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0*e\+?/, 'e');
  return Number(value.toPrecision(5)).toLocaleString('en-US', { maximumFractionDigits: 6 });
};

/** Index of the step nearest to a step number; steps ascend. */
function nearest(steps, wanted) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - steps[low - 1] <= steps[low] - wanted ? low - 1 : low;
}

function addHover(plot, { steps, lines, edges: [left, right], range: [first, last] }) {
  const svg = plot.querySelector('svg');
  if (!svg) return;
  const cursor = svg.querySelector('.cursor');
  const readout = document.createElement('div');
  readout.className = 'readout';
  plot.append(readout);
  svg.addEventListener('pointermove', event => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const i = nearest(steps, first + ((x - left) / (right - left)) * (last - first));
    const at = left + ((steps[i] - first) / (last - first)) * (right - left);
    cursor.setAttribute('x1', at);
    cursor.setAttribute('x2', at);
    cursor.setAttribute('visibility', 'visible');
    const values = lines.map(line => (lines.length > 1 ? line.label + ' ' : '') + figure(line.values[i]));
    readout.textContent = 'update ' + steps[i].toLocaleString('en-US') + ': ' + values.join(', ');
  });
  svg.addEventListener('pointerleave', () => {
    cursor.setAttribute('visibility', 'hidden');
    readout.textContent = '';
  });
}

document.querySelectorAll('.plot').forEach((plot, i) => addHover(plot, charts[i]));

for (const command of document.querySelectorAll('.command')) {
  const button = document.createElement('button');
  button.textContent = 'Copy';
  button.onclick = () => {
    const done = () => { button.textContent = 'Copied'; setTimeout(() => { button.textContent = 'Copy'; }, 1500); };
    getSelection().selectAllChildren(command.querySelector('pre'));
    if (navigator.clipboard) navigator.clipboard.writeText(command.querySelector('pre').textContent).then(done);
    else if (document.execCommand('copy')) done();
  };
  command.append(button);
}
`;

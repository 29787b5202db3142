/**
 * What a report does where JavaScript runs: charts that answer to the pointer (uPlot in place of the SVG), and a button
 * that copies the command. As text, since it runs in the reader's browser; it finds `uPlot` and `charts` there.
 */

export const SCRIPT = String.raw`
const dark = matchMedia('(prefers-color-scheme: dark)');
const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const figure = value => {
  if (value == null) return '';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0*e\+?/, 'e');
  return Number(value.toPrecision(5)).toLocaleString('en-US', { maximumFractionDigits: 6 });
};
const plots = [];

function draw(place, chart) {
  const style = {
    main: { stroke: colour('main'), width: 2 },
    second: { stroke: colour('reference'), width: 2 },
    raw: { stroke: colour('raw'), width: 1 },
    reference: { stroke: colour('reference'), width: 1.5, dash: [6, 5] },
  };
  const few = chart.steps.length <= 40;
  const axis = extra => ({
    stroke: colour('muted'),
    font: '11.5px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    ...extra,
  });
  const readout = document.createElement('div');
  readout.className = 'readout';
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: 250,
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      scales: {
        x: { time: false, range: (u, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
        y: { distr: chart.logarithmic ? 3 : 1, range: () => chart.range },
      },
      axes: [
        axis({ grid: { show: false }, size: 32, incrs: [1, 2, 5].flatMap((f, i, all) =>
          [...Array(8).keys()].map(p => f * 10 ** p)).sort((a, b) => a - b), values: (u, ticks) => ticks.map(figure) }),
        axis({ size: 58, splits: () => chart.ticks, filter: (u, ticks) => ticks, values: (u, ticks) => ticks.map(figure) }),
      ],
      series: [
        {},
        ...chart.lines.map(line => ({
          label: line.label,
          ...style[line.role],
          points: { show: few && line.role === 'main', size: 6, fill: style[line.role].stroke },
        })),
      ],
      hooks: {
        setCursor: [u => {
          const i = u.cursor.idx;
          readout.textContent = i == null || u.cursor.left < 0 ? '' : 'update ' + figure(chart.steps[i]) + ': ' +
            chart.lines.map((line, k) => (chart.lines.length > 1 ? line.label + ' ' : '') + figure(u.data[k + 1][i])).join(', ');
        }],
      },
    },
    [chart.steps, ...chart.lines.map(line => line.values)],
    (u, init) => {
      place.replaceChildren(u.root, readout);
      init();
    },
  );
  plots.push({ place, plot });
}

function drawAll() {
  for (const { plot } of plots.splice(0)) plot.destroy();
  document.querySelectorAll('.plot').forEach((place, i) => {
    if (charts[i].range) draw(place, charts[i]);
  });
}

drawAll();
dark.addEventListener('change', drawAll);
new ResizeObserver(() => {
  for (const { place, plot } of plots) {
    if (plot.width !== place.clientWidth) plot.setSize({ width: place.clientWidth, height: 250 });
  }
}).observe(document.querySelector('main'));

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

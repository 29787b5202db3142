/** The style sheet of reports: one column of sections, light or dark to match the reader's system. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1c1d21; --muted: #62656e; --rule: #e4e2dd; --grid: #edebe7;
  --main: #c2410c; --raw: #c2410c44; --reference: #4b6584; --good: #15803d; --bad: #b91c1c; --tint: #f6f3ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131417; --card: #1b1d21; --ink: #e9e8e4; --muted: #9a9da6; --rule: #2d3036; --grid: #292c32;
    --main: #fb923c; --raw: #fb923c4d; --reference: #8fb0d6; --good: #4ade80; --bad: #f87171; --tint: #212328;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 3rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1080px; margin: 0 auto; }
header p.kind { margin: 0; color: var(--main); font-weight: 600; letter-spacing: .02em; }
h1 { margin: .1rem 0 .5rem; font-size: 2.1rem; line-height: 1.15; letter-spacing: -.02em; font-weight: 680; text-wrap: balance; }
header p.lead { margin: 0; max-width: 46rem; color: var(--muted); font-size: 1.05rem; }
h2 { margin: 3rem 0 1rem; font-size: 1.2rem; letter-spacing: -.01em; font-weight: 650; }
h3 { margin: 0; font-size: .95rem; font-weight: 620; }
.note { color: var(--muted); font-size: .875rem; }
p.note { margin: .5rem 0 0; max-width: 52rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px; margin: 2rem 0 0; padding: 0;
  background: var(--rule); border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; }
.tiles div { background: var(--card); padding: .9rem 1.1rem; display: flex; flex-direction: column; justify-content: space-between; }
.tiles dt { color: var(--muted); font-size: .8125rem; }
.tiles dd { margin: .15rem 0 0; font-size: 1.5rem; font-weight: 620; letter-spacing: -.02em; line-height: 1.2; }
.tiles dd small { font-size: .9rem; font-weight: 500; letter-spacing: 0; color: var(--muted); }
.good { color: var(--good); } .bad { color: var(--bad); }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 1.25rem; }
figure { margin: 0; }
figure.chart, figure.picture { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
figure.chart { padding: 1rem 1rem .6rem; min-width: 0; }
figure.chart figcaption { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; margin-bottom: .5rem; }
.key { margin-left: auto; display: flex; gap: .9rem; font-size: .8125rem; color: var(--muted); }
.key span::before { content: ''; display: inline-block; width: 16px; height: 0; margin-right: .4em; vertical-align: .25em;
  border-top: 2px solid var(--main); }
.key span.raw::before { border-color: var(--raw); border-top-width: 3px; }
.key span.second::before { border-color: var(--reference); }
.key span.reference::before { border-color: var(--reference); border-top-style: dashed; }
.plot { min-height: 250px; position: relative; }
.plot svg { display: block; width: 100%; height: auto; }
.plot svg text { font-size: 11.5px; fill: var(--muted); }
.plot svg .grid { stroke: var(--grid); }
.plot svg .cursor { stroke: var(--muted); stroke-dasharray: 3 3; }
.plot svg path { fill: none; stroke: var(--main); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.plot svg circle { fill: var(--main); }
.plot svg path.raw { stroke: var(--raw); stroke-width: 1; }
.plot svg path.second { stroke: var(--reference); }
.plot svg path.reference { stroke: var(--reference); stroke-width: 1.5; stroke-dasharray: 6 5; }
.plot .readout { position: absolute; top: -1.95rem; right: -.4rem; white-space: nowrap; padding: .15rem .5rem; border-radius: 6px; font-size: .8125rem;
  background: var(--tint); color: var(--ink); pointer-events: none; }
.plot .readout:empty { display: none; }

figure.picture { padding: .9rem; margin-bottom: 1.25rem; }
figure.picture figcaption { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; margin: 0 0 .6rem; }
figure.picture .frame { display: block; overflow: auto; border-radius: 6px; background: var(--tint); }
figure.picture img { display: block; max-width: 100%; height: auto; margin: 0 auto; cursor: zoom-in; }
figure.picture input { position: absolute; opacity: 0; pointer-events: none; }
figure.picture input:focus-visible + .frame { outline: 2px solid var(--main); outline-offset: 2px; }
figure.picture input:checked + .frame img { max-width: none; cursor: zoom-out; image-rendering: pixelated; }

.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; margin-bottom: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .8rem 1rem .2rem; font-weight: 620; }
th, td { padding: .42rem 1rem; text-align: left; border-top: 1px solid var(--rule); vertical-align: top; }
thead tr:first-child th { border-top: 0; }
thead th { font-weight: 550; color: var(--muted); font-size: .8125rem; white-space: nowrap; }
th[scope=row] { font-weight: 450; }
td.n, th.n { text-align: right; white-space: nowrap; }
.scores th.start, .scores td.start { border-left: 1px solid var(--rule); }
tr.mean > * { font-weight: 650; background: var(--tint); border-top: 2px solid var(--rule); }
tr.changed td.value { font-weight: 650; color: var(--main); }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: .875em; }
.command { position: relative; }
pre { margin: 0; padding: 1rem 5.5rem 1rem 1.1rem; background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.6; }
pre span { display: inline-block; max-width: 100%; }
.command button { position: absolute; top: .55rem; right: .55rem; font: inherit; font-size: .8125rem; color: var(--muted);
  background: var(--tint); border: 1px solid var(--rule); border-radius: 6px; padding: .2rem .65rem; cursor: pointer; }
.command button:hover { color: var(--ink); }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--muted); font-size: .9rem; }
details .wide { margin-top: .75rem; }
.nothing { color: var(--muted); text-align: center; padding-top: 5rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
@media print {
  body { padding: 0; font-size: 12px; } .command button { display: none; }
  figure, .wide, pre { break-inside: avoid; } h2 { break-after: avoid; }
}
`;

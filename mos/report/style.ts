/** What a report of an opinion test adds to the style of all reports. */

export const MOS_STYLE = `
.warning { margin: 1.5rem 0 0; padding: .8rem 1.1rem; border: 2px solid var(--bad); border-radius: 10px; font-weight: 600; }
.figure { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem; margin-bottom: 1.25rem; }
.figure figcaption { margin-bottom: .75rem; }
.figure svg { display: block; height: auto; min-width: 560px; max-width: 100%; }
.figure svg text { font-size: 12.5px; fill: var(--muted); }
.figure svg .strong { fill: var(--ink); font-weight: 620; }
.figure svg .share { fill: var(--ink); }
.figure svg .over { fill: var(--card); }
.figure svg .cell { fill: var(--ink); }
.figure svg .grid { stroke: var(--grid); }
.figure svg .mean { stroke: #ef2b2b; stroke-width: 2.5; }
.figure svg .mean.wide { stroke-width: 4; }
.figure svg .stem { stroke: var(--rule); stroke-width: 2; }
.figure svg circle { fill: var(--main); }
table.pairs td, table.pairs thead th { text-align: center; white-space: nowrap; padding: .4rem .6rem; }
table.pairs td small { display: block; color: var(--muted); font-size: .76rem; }
table.pairs td.significant { background: var(--tint); font-weight: 620; }
table.pairs td.none { color: var(--muted); }
@media print { .figure { break-inside: avoid; border: 0; padding: 0; } .wide { overflow: visible; } table { font-size: .8rem; } th, td { padding: .3rem .5rem; } .warning { color: #000; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** What a comparison's page adds to the style of all reports. */

export const COMPARISON_STYLE = `
body { padding-top: 1.5rem; }
main { max-width: 1240px; }
h1 { margin-bottom: 1rem; font-size: 1.7rem; overflow-wrap: anywhere; }
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .6rem; margin-bottom: .6rem; }
.bar > div { display: flex; gap: .4rem; align-items: center; min-width: 0; }
button, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; min-height: 44px; }
button { min-width: 44px; padding: 0 .7rem; cursor: pointer; touch-action: manipulation; }
select { min-width: 0; padding: 0 .5rem; text-overflow: ellipsis; }
@media (hover: hover) { button:hover, select:hover { border-color: var(--muted); } }
button:focus-visible, select:focus-visible { outline: 3px solid var(--main); outline-offset: 1px; }
#zoom { min-width: 4.2em; text-align: center; font-size: .9rem; color: var(--muted); }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) auto minmax(0, 1fr); gap: 0 .5rem; margin-bottom: .5rem; }
.sides > button { align-self: start; }
.sides > div { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .7rem; }
.sides > div:last-child { flex-direction: row-reverse; text-align: right; }
.sides select { font-weight: 620; max-width: 100%; }
.sides output { font-size: .9rem; color: var(--muted); }
#stage { position: relative; overflow: hidden; height: clamp(240px, min(64svh, 100vw), 900px); border-radius: 10px; background: var(--tint);
  border: 1px solid var(--rule); cursor: grab; touch-action: none; user-select: none; -webkit-user-select: none; }
#stage:active { cursor: grabbing; }
#stage.fits { cursor: ew-resize; touch-action: pan-y; }
.layer { position: absolute; inset: 0; }
.layer img { position: absolute; top: 0; left: 0; max-width: none; transform-origin: 0 0; display: block; }
#handle { position: absolute; width: 24px; margin-left: -12px; cursor: ew-resize; outline: 0; touch-action: pan-y; }
@media (pointer: coarse) { #handle { width: 44px; margin-left: -22px; } }
#handle::before { content: ''; position: absolute; inset: 0 calc(50% - 1px); background: #fff; box-shadow: 0 0 0 1px #0008; }
#handle::after { content: '‹ ›'; position: absolute; left: calc(50% - 20px); bottom: 14px; width: 40px; height: 40px; border-radius: 50%;
  background: #fff; color: #1c1d21; box-shadow: 0 0 0 1px #0008, 0 2px 8px #0006; font: 700 19px/35px system-ui, sans-serif; text-align: center; }
#handle:focus-visible::after { outline: 3px solid var(--main); outline-offset: 2px; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; max-width: none; }
.fingers { display: none; }
.keys span { white-space: nowrap; }
kbd { font: inherit; padding: 0 .35em; border: 1px solid var(--rule); border-bottom-width: 2px; border-radius: 5px; color: var(--ink); }
.wide { margin-top: 2rem; }
td.best { font-weight: 650; } tr.mean td:not(.best) { font-weight: 450; }
th button { min-height: 0; padding: 0; border: 0; background: none; text-align: left; text-decoration: underline; text-decoration-color: var(--rule);
  text-underline-offset: .25em; }
th button[aria-current=true] { color: var(--main); font-weight: 650; }
@media (pointer: coarse) { th button { min-height: 40px; } .keys { display: none; } .fingers { display: block; } }
@media (max-width: 520px) {
  body { padding: .9rem .75rem 3rem; } h1 { margin-bottom: .7rem; font-size: 1.35rem; } .bar { gap: .4rem; }
  .bar > div:first-child { flex: 1 1 100%; } .bar #picture { flex: 1; } .bar > div:last-child { flex: 1; } .bar #zoom { flex: 1; }
  .keys { display: none; } .fingers { display: block; }
  th, td, caption { padding-inline: .6rem; }
}
@media print {
  body { padding: 0; }
  button:not([data-picture]), .keys, .fingers, #handle, #zoom { display: none; } select { appearance: none; border: 0; padding: 0; min-height: 0; }
  .sides { grid-template-columns: 1fr 1fr; } .sides > div:last-child { flex-direction: row; text-align: left; }
  #stage { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; height: auto; border: 0; background: none; break-inside: avoid; }
  .layer { position: static; clip-path: none !important; }
  .layer img { position: static; width: 100%; height: auto; transform: none !important; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

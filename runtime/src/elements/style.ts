import { HEAT_COLORS } from '../model/heat-map.js';

const heatGradient = HEAT_COLORS.map((color) => `rgb(${color.join(' ')})`).join(', ');

const CSS = `
:host {
  --accent: var(--gpn-accent, #5b4bdb);
  --surface: var(--gpn-surface, #fff);
  --text: var(--gpn-text, #1c1b29);
  --line: var(--gpn-line, #d9d7e5);
  --radius: var(--gpn-radius, 12px);
  display: inline-block;
  box-sizing: border-box;
  width: min(100%, var(--gpn-width, 420px));
  color: var(--text);
  font: var(--gpn-font, 14px/1.4 system-ui, sans-serif);
}
:host([hidden]), [hidden] { display: none !important; }
figure { margin: 0; padding: 12px; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
.stage { position: relative; min-height: 96px; border-radius: calc(var(--radius) - 6px); overflow: hidden; background: var(--gpn-stage, #12111a); }
canvas, ::slotted(img) { display: block; width: 100%; height: auto; }
canvas { image-rendering: pixelated; }
.poster { position: absolute; inset: 0; z-index: 1; display: grid; place-items: center; color: #cfcde0; text-align: center; background: rgb(18 17 26 / .6); }
::slotted([slot=poster]) { margin: 16px; image-rendering: pixelated; }
::slotted(img[slot=poster]) { margin: 0; }
progress { position: absolute; bottom: 12px; width: min(240px, 80%); accent-color: var(--accent); }
figcaption { container-type: inline-size; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-top: 10px; }
button, select, .file { min-height: 34px; padding: 0 14px; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 999px; cursor: pointer; }
button.main { color: #fff; background: var(--accent); border-color: var(--accent); }
button:hover, select:hover, .file:hover { border-color: var(--accent); }
button[aria-pressed=true] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
:focus-visible, .file:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
label { display: inline-flex; align-items: center; gap: 6px; }
input[type=range] { width: min(110px, 26cqi); accent-color: var(--accent); }
.file input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.file { display: inline-flex; align-items: center; }
.status { flex: 1 1 100%; margin: 0; font-size: .86em; opacity: .75; }
.status.error { color: var(--gpn-error, #c02742); opacity: 1; }
.heat { position: absolute; inset: 0; height: 100%; image-rendering: auto; pointer-events: none; }
.grey ::slotted(img) { filter: grayscale(1); }
.over { outline: 3px dashed var(--accent); outline-offset: -3px; }
.scale { display: inline-flex; align-items: center; gap: 6px; font-variant-numeric: tabular-nums; }
.scale i { width: 90px; height: 10px; border-radius: 5px; background: linear-gradient(90deg, ${heatGradient}); }
`;

let sheet: CSSStyleSheet | undefined;

/**
 * The elements' style sheet. A page can change it by custom properties and by `::part()`. It is adopted,
 * because a page whose Content-Security-Policy has `style-src 'self'` refuses a style element.
 */
export function styleSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}

/** What the element adds to the style of the runtime's elements. */
const CSS = `
:host { width: min(100%, var(--gpn-width, 620px)); }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
.pair div { display: grid; gap: 6px; align-content: start; }
.pair h3 { margin: 0; font: inherit; font-weight: 600; }
.pair canvas { width: 100%; aspect-ratio: 1; object-fit: contain; object-position: 0 0; background: var(--gpn-stage, #12111a); border-radius: calc(var(--radius) - 6px); }
.loss { position: relative; margin-top: 14px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
svg { display: block; width: 100%; height: 84px; overflow: visible; }
svg path { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; }
svg path.discriminator { stroke: var(--gpn-second, #d98a1f); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0 0; font-size: .86em; opacity: .85; }
.legend i { display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle; background: var(--accent); }
.legend i.discriminator { background: var(--gpn-second, #d98a1f); }
.legend b { font-weight: normal; font-variant-numeric: tabular-nums; }
progress { appearance: none; position: static; width: 100%; height: 6px; margin-top: 12px; border: 0; border-radius: 3px; overflow: hidden; background: var(--line); }
progress::-webkit-progress-bar { background: none; }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
figcaption { overflow-wrap: anywhere; }
.facts { flex: 1 1 100%; margin: 0; font-variant-numeric: tabular-nums; }
.kept { flex: 1 1 100%; display: grid; gap: 8px; padding: 12px; border: 1px solid var(--line); border-radius: var(--radius); }
.kept p { margin: 0; }
.kept code { display: block; padding: 8px; border: 1px solid var(--line); border-radius: 8px; font-size: .86em; }
.kept a { display: block; width: fit-content; padding: 3px 0; color: inherit; }
`;

let sheet: CSSStyleSheet | undefined;

/** Adopted, as the style sheet of the runtime's elements, for pages with a strict policy. */
export function trainerSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}

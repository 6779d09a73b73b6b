/** The look of a report: it must be readable on paper and on a dark screen alike. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1e293b; --faint: #64748b; --line: #e2e8f0; --paper: #ffffff; --accent: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --faint: #94a3b8; --line: #334155; --paper: #0f172a; --accent: #fb923c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 48px 0 4px; border-top: 1px solid var(--line); padding-top: 24px; }
p { margin: 4px 0 12px; max-width: 72ch; }
.faint, figcaption, .about { color: var(--faint); font-size: 14px; }
.hash { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--accent); padding-left: 12px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 12px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; padding-left: 0; }
td:first-child { min-width: 240px; }
td.value { font-weight: 650; }
.about { display: block; font-weight: 400; line-height: 1.35; }
.scale { position: relative; width: 130px; height: 10px; background: var(--line); border-radius: 5px; display: inline-block; }
.scale i { position: absolute; top: 0; bottom: 0; background: var(--accent); border-radius: 5px; left: 0; }
figure { margin: 16px 0 0; }
.pair { display: flex; gap: 0 32px; flex-wrap: wrap; }
.pair > figure { flex: 1 1 320px; max-width: 600px; }
img.pixels { image-rendering: pixelated; display: block; max-width: 100%; height: auto; }
img.chart { display: block; width: 100%; height: auto; background: #ffffff; border-radius: 6px; }
`;

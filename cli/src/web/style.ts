/** The icon of the pages: the colours of the heat map, as four pixels. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2" shape-rendering="crispEdges">
  <path fill="#2b2160" d="M0 0h2v2H0z"/>
  <path fill="#8d7bff" d="M0 0h1v1H0z"/>
  <path fill="#ffd34d" d="M1 1h1v1H1z"/>
</svg>
`;

/** The look of the pages that `export-web` writes. */
export const CSS = `:root {
  --ink: #ece9f6;
  --faint: #a29dbb;
  --edge: #2f2b44;
  --accent: #8d7bff;
  font: 16px/1.55 system-ui, sans-serif;
  color: var(--ink);
  background: #0e0c17;
}
* { box-sizing: border-box; }
body {
  min-height: 100vh;
  margin: 0;
  padding: 0 clamp(16px, 4vw, 56px) 40px;
  background: radial-gradient(900px 480px at 12% -8%, #2b2160, transparent), radial-gradient(760px 420px at 100% 0, #123a4b, transparent);
  background-repeat: no-repeat;
}
header, main, footer { max-width: 1080px; margin-inline: auto; }
body:has(.tiles) > * { max-width: 1320px; }
header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 16px; padding: 48px 0 32px; }
h1 { margin: 0; font-size: clamp(28px, 5vw, 44px); line-height: 1.1; letter-spacing: -.02em; }
nav { display: flex; gap: 4px; padding: 4px; border: 1px solid var(--edge); border-radius: 999px; }
nav a { padding: 6px 18px; color: var(--faint); text-decoration: none; border-radius: 999px; }
nav a[aria-current] { color: #fff; background: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.notice { margin: 0 0 24px; padding: 14px 20px; color: #fff; background: #5a2338; border: 1px solid #ff8aa0; border-radius: 14px; }
body:has(.notice) :is(.fields, #all) { display: none; }
:not(:defined) > img { display: block; width: 100%; image-rendering: pixelated; border-radius: 14px; }
.card > :not(:defined) { width: min(100%, var(--gpn-width)); }
.card {
  display: grid;
  grid-template-columns: minmax(0, 1fr) minmax(0, 1.2fr);
  gap: clamp(20px, 4vw, 48px);
  margin-bottom: 28px;
  padding: clamp(18px, 3vw, 36px);
  background: rgb(23 20 38 / .82);
  border: 1px solid var(--edge);
  border-radius: 22px;
}
h2 { margin: 0 0 4px; font-size: 26px; letter-spacing: -.01em; overflow-wrap: anywhere; }
.lead { margin: 0 0 20px; color: var(--faint); font-size: 18px; }
.all { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 12px 24px; margin-bottom: 28px; }
.all .lead { margin: 0; }
button { min-height: 40px; padding: 0 20px; font: inherit; color: #fff; background: #7362f0; border: 0; border-radius: 999px; cursor: pointer; }
button:hover { background: var(--accent); }
main > h2 { margin: 36px 0 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 24px; }
.tile { padding: 18px; background: rgb(23 20 38 / .82); border: 1px solid var(--edge); border-radius: 20px; transition: border-color .2s, transform .2s; }
.tile:hover { border-color: var(--accent); transform: translateY(-2px); }
.tile p { margin: 2px 0 14px; color: var(--faint); font-size: 14px; }
h3 { margin: 0; font-size: 19px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h3 a::after { content: ' →'; color: var(--faint); }
a { color: #b3a7ff; text-decoration: none; }
h3 a { color: var(--ink); }
a:hover { text-decoration: underline; }
nav a:hover { text-decoration: none; color: #fff; }
.tile gpn-generator { --gpn-width: 100%; --gpn-surface: transparent; --gpn-radius: 14px; --gpn-font: 13px/1.4 system-ui, sans-serif; }
.tile gpn-generator::part(figure) { padding: 0; border: 0; }
gpn-generator::part(stage) { aspect-ratio: 1; }
.sweeps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 24px; }
.sweep { margin: 0; padding: 18px; background: rgb(23 20 38 / .82); border: 1px solid var(--edge); border-radius: 20px; }
.sweep img { display: block; width: 100%; image-rendering: pixelated; border-radius: 8px; }
figcaption { margin-top: 10px; color: var(--faint); font-size: 14px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 14px; margin: 0 0 24px; }
dt { color: var(--faint); font-size: 13px; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.fields { display: flex; flex-wrap: wrap; gap: 12px; }
.fields label { display: grid; gap: 4px; color: var(--faint); font-size: 13px; }
.fields input, .fields select { width: 128px; min-height: 40px; padding: 0 12px; font: inherit; font-size: 16px; color: var(--ink); background: #0e0c17; border: 1px solid var(--edge); border-radius: 10px; }
.fields select.wide { width: min(100%, 340px); margin-bottom: 18px; }
.hint, footer { color: var(--faint); font-size: 14px; }
details { margin-top: 20px; color: var(--faint); font-size: 14px; }
summary { cursor: pointer; }
pre { margin: 10px 0 0; padding: 12px; overflow-x: auto; color: var(--ink); background: #0e0c17; border: 1px solid var(--edge); border-radius: 10px; font-size: 12.5px; }
.hint { margin: 20px 0 0; }
footer { padding-top: 32px; text-align: center; }
gpn-generator, gpn-score-map {
  --gpn-width: 560px;
  --gpn-surface: #0e0c17;
  --gpn-text: var(--ink);
  --gpn-line: var(--edge);
  --gpn-accent: #7362f0;
  --gpn-stage: #000;
  --gpn-error: #ff8aa0;
  --gpn-radius: 16px;
  justify-self: end;
}
gpn-score-map img { image-rendering: pixelated; }
@media (max-width: 760px) {
  .card { grid-template-columns: minmax(0, 1fr); }
  gpn-generator, gpn-score-map { justify-self: stretch; }
}
`;

/** The report of a search through many pictures: one HTML file that needs no other files. */
import { type Detection, highlights, type ModelInfo, type Picture } from '@gpn/runtime';
import type { ScoredMask } from '@gpn/training/detection';
import escapeHtml from 'escape-html';
import sharp from 'sharp';
import { svgUri } from './grids.js';
import { kindOfDefect } from './masks.js';
import { overGrey } from './overlay.js';
import { STYLE } from './style.js';

interface Seen {
  readonly path: string;
  readonly detection: Pick<Detection, 'p' | 'regions' | 'threshold'>;
  /** That of the most suspicious pixel. */
  readonly suspicion: number;
  readonly thumbnails: string;
  readonly bad: boolean;
}

/** Pictures that are shown, the worst ones. */
const SHOWN = 200;
/** The longer side of what is shown of a picture, in pixels. */
const SIDE = 280;

/** Collects what was found in pictures, and makes the report of it. */
export function detectionReport(info: ModelInfo, hasMasks: boolean) {
  const seen: Seen[] = [];
  const maps: ScoredMask[] = [];
  return {
    /** @param mask what is wrong with the picture, if masks are known; none if nothing is */
    async add(
      path: string,
      picture: Picture,
      detection: Detection,
      mask?: Uint8Array,
    ): Promise<void> {
      const { width, height, suspicion, p, regions, threshold } = detection;
      let most = Number.NEGATIVE_INFINITY;
      for (const value of suspicion) most = Math.max(most, value);
      const bad = mask?.some((inside) => inside > 0) ?? false;
      if (hasMasks) {
        maps.push({ width, scores: suspicion, mask: mask ?? new Uint8Array(width * height) });
      }
      const marks = highlights(info, detection);
      const thumbnails = [
        await thumbnail(picture, picture.data, path),
        await thumbnail(picture, overGrey(picture, marks), `what was found in ${path}`),
      ].join('');
      const found = { p, regions, threshold };
      seen.push({ path, detection: found, suspicion: most, thumbnails, bad });
      seen.sort((a, b) => b.suspicion - a.suspicion);
      const last = seen[SHOWN];
      if (last) seen[SHOWN] = { ...last, thumbnails: '' };
    },
    /** The page, and the measures that need masks. */
    async html(): Promise<{ html: string; measures: readonly [name: string, value: number][] }> {
      const { measures, curves } = hasMasks
        ? await measured(seen, maps)
        : { measures: [], curves: [] };
      return { html: await page(info, seen, measures, curves), measures };
    },
  };
}

type Curves = Parameters<typeof import('@gpn/training/detection')['rocLines']>[0];

/** How well bad pictures and pixels are ranked before the others. */
async function measured(seen: readonly Seen[], maps: readonly ScoredMask[]) {
  const { aupro, auroc, averagePrecision, pixelAuroc, pixelCurve, rocCurve } = await import(
    '@gpn/training/detection'
  );
  const scores = seen.map(({ suspicion }) => suspicion);
  const bad = seen.map((picture) => Number(picture.bad));
  const mixed = new Set(bad).size === 2;
  const marked = maps.some(({ mask }) => mask.some((inside) => inside > 0));
  const measures: [string, number][] = [
    ...(mixed
      ? ([
          ['AUROC of pictures', auroc(scores, bad)],
          ['average precision of pictures', averagePrecision(scores, bad)],
          ...byDefect(seen, auroc),
        ] as [string, number][])
      : []),
    ...(marked
      ? ([
          ['AUROC of pixels', pixelAuroc(maps)],
          ['AUPRO, up to 30 % false positives', aupro(maps)],
        ] as [string, number][])
      : []),
  ];
  const curves: Curves = [
    ...(mixed ? [{ name: 'pictures', curve: rocCurve(scores, bad) }] : []),
    ...(marked ? [{ name: 'pixels', curve: pixelCurve(maps) }] : []),
  ];
  return { measures, curves };
}

/** The AUROC of bad pictures of each kind against all others, if their folders name several kinds. */
function byDefect(
  seen: readonly Seen[],
  auroc: (scores: number[], labels: number[]) => number,
): [name: string, value: number][] {
  const kinds = [...new Set(seen.flatMap(({ bad, path }) => (bad ? [kindOfDefect(path)] : [])))];
  if (kinds.length < 2) return [];
  return kinds.sort().map((kind) => {
    const of = seen.filter(({ bad, path }) => !bad || kindOfDefect(path) === kind);
    const scores = of.map(({ suspicion }) => suspicion);
    return [
      `AUROC of pictures, ${kind}`,
      auroc(
        scores,
        of.map(({ bad }) => Number(bad)),
      ),
    ];
  });
}

async function thumbnail(
  { width, height }: Picture,
  data: Picture['data'],
  alt: string,
): Promise<string> {
  const channels = (data.length / (width * height)) as 1 | 2 | 3 | 4;
  const scale = SIDE / Math.max(width, height);
  const png = await sharp(Uint8ClampedArray.from(data), {
    raw: { width, height, channels },
    limitInputPixels: false,
  })
    .resize(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)), {
      kernel: scale > 1 ? 'nearest' : 'lanczos3',
      fit: 'fill',
    })
    .png()
    .toBuffer();
  return `<img alt="${escapeHtml(alt)}" src="data:image/png;base64,${png.toString('base64')}">`;
}

const MORE_STYLE = `
.found { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 24px; }
.found figure { min-width: 0; }
.found .both { display: flex; gap: 4px; }
.found img { width: calc(50% - 2px); height: auto; align-self: flex-start; }
.found figcaption { overflow-wrap: anywhere; }
.found .bad { color: var(--accent); font-weight: 650; }
`;

async function page(
  info: ModelInfo,
  seen: readonly Seen[],
  measures: readonly [string, number][],
  curves: Curves,
): Promise<string> {
  const { rocLines, suspicionBars } = await import('@gpn/training/detection');
  const { threshold = 0 } = seen[0]?.detection ?? {};
  const anomalous = seen.filter(({ detection }) => detection.p <= threshold).length;
  const values = (wanted: boolean) =>
    seen.filter(({ bad }) => bad === wanted).map(({ suspicion }) => suspicion);
  const groups = [
    { name: curves.length > 0 ? 'normal' : 'pictures', values: values(false) },
    ...(curves.length > 0 ? [{ name: 'with a mask', values: values(true) }] : []),
  ];
  const { data } = info.calibration ?? { data: { name: '', pictures: 0 } };
  const rows = measures.map(
    ([name, value]) =>
      `<tr><td>${escapeHtml(name)}</td><td class="value">${value.toFixed(4)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.name)}: what does not belong</title>
<style>${STYLE}${MORE_STYLE}</style>
</head>
<body>
<main>
<h1>What does not belong</h1>
<p class="faint">${seen.length} pictures, searched by ${escapeHtml(info.name)}, which is calibrated with ${data.pictures} normal
pictures (${escapeHtml(data.name)}).</p>
<p>In <b>${anomalous}</b> of ${seen.length} something is as rare as in at most ${Number((100 * threshold).toPrecision(3))} % of normal pictures.</p>
${rows.length > 0 ? `<div class="wide"><table><tbody>\n${rows.join('\n')}\n</tbody></table></div>` : ''}
<figure><img class="chart" alt="how many pictures are how suspicious" src="${svgUri(await suspicionBars(groups))}"></figure>
${curves.length > 0 ? `<figure style="max-width:480px"><img class="chart" alt="receiver operating characteristics" src="${svgUri(await rocLines(curves))}"></figure>` : ''}
<h2>The pictures, worst first</h2>
<p class="faint">In colour: what a normal picture has with a probability of at most ${Number(threshold.toPrecision(3))}, redder the rarer it is.${
    seen.length > SHOWN ? ` The first ${SHOWN} are shown.` : ''
  }</p>
<div class="found">
${seen.slice(0, SHOWN).map(figure).join('\n')}
</div>
</main>
</body>
</html>
`;
}

const figure = ({ path, detection: { p, regions, threshold }, thumbnails, bad }: Seen): string =>
  `<figure><div class="both">${thumbnails}</div><figcaption>${escapeHtml(path)}<br><span${
    p <= threshold ? ' class="bad"' : ''
  }>p ${p.toPrecision(3)}</span>${regions.length > 0 ? `, ${regions.length} ${regions.length === 1 ? 'place' : 'places'}` : ''}${
    bad ? ', with a mask' : ''
  }</figcaption></figure>`;

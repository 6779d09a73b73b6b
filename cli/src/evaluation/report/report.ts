/** The report of an evaluation: one HTML file that needs no other files. */
import { type Generator, gridInputs } from '@gpn/runtime';
import {
  classBars,
  classesOf,
  type Evaluation,
  type Evidence,
  featureMap,
  format,
  levelLines,
  type Measure,
  measuresOf,
  protocolText,
  type Result,
  runCurves,
} from '@gpn/training';
import escapeHtml from 'escape-html';
import { firstWhere, grid, imagesGrid, svgUri } from './grids.js';
import { STYLE } from './style.js';

export interface ReportInput {
  readonly evaluation: Evaluation;
  readonly evidence: Evidence;
  readonly generator: Generator;
  /** The path of the log of the run; the file need not exist. */
  readonly log: string;
}

/** A part of the page: its heading, an explanation, and its content as HTML. */
interface Section {
  readonly title: string;
  readonly text: string;
  readonly body: string;
}

export async function htmlReport(input: ReportInput): Promise<string> {
  const { evaluation } = input;
  const sections: Section[] = [];
  for (const make of SECTIONS) {
    const section = await make(input);
    if (section) sections.push(section);
  }
  const { model, protocol, protocolHash, notes } = evaluation;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(model.name)}: how good is it?</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(model.name)}</h1>
<p class="faint">${escapeHtml(protocolText(protocol))}.</p>
${scorecard(evaluation)}
${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}
${sections.map(({ title, text, body }) => `<h2>${title}</h2>\n<p class="faint">${text}</p>\n${body}`).join('\n')}
<h2>Protocol</h2>
<p class="faint">Only results of the same protocol can be compared.</p>
<p class="hash">${protocolHash}</p>
<p class="hash">${escapeHtml(JSON.stringify(protocol))}</p>
${model.sha256 ? `<p class="faint">SHA-256 of the model file</p><p class="hash">${model.sha256}</p>` : ''}
</main>
</body>
</html>
`;
}

const BETTER = {
  lower: 'lower is better',
  higher: 'higher is better',
  real: 'near real is better',
};

function scorecard(evaluation: Evaluation): string {
  const { seeds } = evaluation.protocol;
  const rows = measuresOf(evaluation).map(([, measure, result]) => {
    const perSeed =
      seeds.length > 1 ? ` Seeds: ${result.seeds.map((v) => format(v, measure)).join(', ')}.` : '';
    return `<tr>
<td>${measure.title}<span class="about">${measure.about}; ${BETTER[measure.better]}.${perSeed}</span></td>
<td class="value">${format(result.value, measure)}</td>
<td>${result.interval?.map((bound) => format(bound, measure)).join(' … ') ?? ''}</td>
<td>${format(result.floor, measure)}</td>
<td>${format(result.ceiling, measure)}</td>
<td>${scale(measure, result)}</td>
</tr>`;
  });
  return `<div class="wide"><table>
<thead><tr><th>measure</th><th>value</th><th>95 % interval</th><th>real</th><th>noise</th><th>noise → real</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>
<p class="faint">“Real” is the result for real training images in place of generated ones: nothing should
be better. “Noise” is the result for random pixels: nothing should be worse.</p>
${levelLines(evaluation)
  .map((line) => `<p class="faint">${line}.</p>`)
  .join('\n')}`;
}

/** A bar from noise to real up to the value; nothing if one of the two is unknown. */
function scale({ better }: Measure, { value, floor, ceiling }: Result): string {
  if (floor === undefined || ceiling === undefined || floor === ceiling) return '';
  const off =
    better === 'real' ? Math.abs(value - floor) : (value - floor) * Math.sign(ceiling - floor);
  // Distances span orders of magnitude. On a logarithmic scale, each tenfold decrease is one step.
  const span = Math.abs(ceiling - floor);
  const share = Math.max(0, Math.min(1, 1 - Math.max(0, off) / span));
  const magnitudes = span > 100 * Math.abs(floor) ? logarithmic(off, span, Math.abs(floor)) : share;
  return `<span class="scale" title="${(100 * magnitudes).toFixed(0)} %"><i style="width:${(100 * magnitudes).toFixed(1)}%"></i></span>`;
}

function logarithmic(off: number, span: number, floor: number): number {
  if (off <= floor || floor === 0) return off <= floor ? 1 : 1 - off / span;
  return Math.max(0, Math.min(1, Math.log(span / off) / Math.log(span / floor)));
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

const figure = (image: string, caption: string): string =>
  `<figure>${image}<figcaption>${caption}</figcaption></figure>`;

const chart = (svg: string, alt: string): string =>
  `<div class="wide"><figure><img class="chart" alt="${alt}" src="${svgUri(svg)}"></figure></div>`;

const SECTIONS: readonly ((input: ReportInput) => Promise<Section | undefined>)[] = [
  async ({ evidence: { sample } }) => ({
    title: 'Samples',
    text: `The first ${Math.min(100, sample.pictures.count)} images of seed 0, not selected.`,
    body: figure(
      await grid(
        sample.pictures,
        range(Math.min(100, sample.pictures.count)),
        10,
        'generated images',
      ),
      '',
    ),
  }),

  async ({ evaluation, evidence: { sample, reference, real } }) => {
    const svg = await classBars(evaluation);
    if (!svg || !sample.logits || !evaluation.classes) return undefined;
    const judged = classesOf(sample.logits);
    const asked = sample.pictures.labels;
    const rows = asked ?? judged;
    const { names } = evaluation.classes;
    const places = (labels: ArrayLike<number>) =>
      names.flatMap((_, c) => firstWhere(labels.length, (k) => labels[k] === c, 10));
    const complete = names.every(
      (_, c) => firstWhere(rows.length, (k) => rows[k] === c, 10).length === 10,
    );
    const realLabels = reference.pictures.labels;
    const grids = complete
      ? [
          figure(
            await grid(sample.pictures, places(rows), 10, 'generated images of each class'),
            asked
              ? 'generated, one requested class per row'
              : 'generated, one class per row, as the judge sees it',
          ),
          realLabels &&
            figure(
              await grid(reference.pictures, places(realLabels), 10, 'real images of each class'),
              'real',
            ),
        ]
      : [];
    return {
      title: 'Classes',
      text: `How often the judge finds each class of ${escapeHtml(real.name)} in generated and in real images.`,
      body: `${chart(svg, 'shares of the classes')}<div class="pair">${grids.filter(Boolean).join('\n')}</div>`,
    };
  },

  async ({ generator }) => {
    const steps = 12;
    const classes = generator.info.condition?.classes;
    const walks: string[] = [];
    for (let k = 0; k < 5; k++) {
      const labels = classes ? { labels: k % classes } : {};
      const images = await generator.interpolate(2 * k, 2 * k + 1, steps, labels);
      walks.push(await imagesGrid(images, steps, `from seed ${2 * k} to seed ${2 * k + 1}`));
    }
    return {
      title: 'Between images',
      text: 'Each row goes from the first image of one seed to the first image of another. If a network has learnt what images have in common, all images in between look real. If it has memorised single images, the row jumps from one to the next.',
      body: figure(walks.join('\n'), ''),
    };
  },

  async ({ generator }) => {
    const { codes } = generator.info;
    if (!codes) return undefined;
    const sweeps: string[] = [];
    for (let code = 0; code < codes.size; code++) {
      const sweep = { code, from: -2, to: 2, steps: 10 };
      const { columns, ...inputs } = gridInputs(generator.info, { seed: 0, sweep });
      const images = await generator.sample(inputs);
      const caption = `code ${code} from −2 to 2`;
      sweeps.push(figure(await imagesGrid(images, columns, caption), caption));
    }
    return {
      title: 'Codes',
      text: 'Each row has one latent. Along the row only the code changes.',
      body: `<div class="pair">${sweeps.join('\n')}</div>`,
    };
  },

  async ({ evidence }) => {
    const svg = await featureMap(evidence);
    if (!svg) return undefined;
    return {
      title: 'Precision and recall',
      text: 'Features of real and generated images, in the plane in which those of real images vary most. Only grey: real images that are never drawn. Only colour: generated images unlike any real one.',
      body: `${chart(svg, 'features of real and generated images')}
<div class="pair">${await outliers(evidence)}</div>`,
    };
  },

  async ({ evidence: { details, sample, real } }) => {
    const { memorised } = details;
    if (!memorised) return undefined;
    const nearest = range(memorised.distances.length)
      .sort((a, b) => (memorised.distances[a] as number) - (memorised.distances[b] as number))
      .slice(0, 15);
    const first = range(Math.min(15, memorised.distances.length));
    const pair = async (places: number[], caption: string) => {
      const drawn = await grid(sample.pictures, places, 15, 'generated images');
      const training = places.map((k) => memorised.places[k] as number);
      return figure(`${drawn}${await grid(real.train, training, 15, 'training images')}`, caption);
    };
    return {
      title: 'Nearest training images',
      text: 'Generated images, and below each the training image with the most similar pixels. If both are the same, the network has memorised it.',
      body: `${await pair(first, `the first ${first.length}`)}
${await pair(nearest, `of the first ${memorised.distances.length}, the most similar to a training image`)}`,
    };
  },

  async ({ log }) => {
    const svg = await runCurves(log);
    if (!svg) return undefined;
    return {
      title: 'The run',
      text: 'Losses of the training that made this model. They do not show how good the images are.',
      body: chart(svg, 'losses against steps'),
    };
  },
];

/** Images unlike any of the other set: those that lower precision and recall. */
async function outliers({ details, sample, reference }: Evidence): Promise<string> {
  if (!details.neighbours) return '';
  const { precision, recall } = details.neighbours;
  const alien = firstWhere(precision.length, (k) => precision[k] === 0, 30);
  const missed = firstWhere(recall.length, (k) => recall[k] === 0, 30);
  const part = async (
    pictures: Evidence['sample']['pictures'],
    places: number[],
    caption: string,
  ) =>
    places.length > 0
      ? figure(await grid(pictures, places, 6, caption), caption)
      : figure('', `${caption}: none`);
  return [
    await part(sample.pictures, alien, 'generated, unlike real images'),
    await part(reference.pictures, missed, 'real, unlike generated images'),
  ].join('\n');
}

import type { EChartsCoreOption } from 'echarts/core';

/** Charts, drawn as SVG by ECharts. */

/** Draws a chart as an SVG text. ECharts is large, so it is loaded when the first chart is drawn. */
export async function svgChart(
  options: EChartsCoreOption,
  size?: { width?: number; height?: number },
): Promise<string> {
  const chart = await newChart(size);
  chart.setOption(options);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return renumbered(svg);
}

/**
 * The same chart with its own numbers in the names of its styles and clips: ECharts counts them, and
 * the charts, through all that a process draws, so that a resumed training would draw other bytes.
 */
function renumbered(svg: string): string {
  const names = new Map<string, string>();
  return svg.replace(/\b(?:zr\d+-([a-z]+)-?|(clip-g)-)\d+\b/g, (name, kind, group) => {
    const known = names.get(name) ?? `${kind ?? group}-${names.size}`;
    names.set(name, known);
    return known;
  });
}

async function newChart({ width = 900, height = 500 } = {}) {
  const [core, charts, components, { SVGRenderer }] = await Promise.all([
    import('echarts/core'),
    import('echarts/charts'),
    import('echarts/components'),
    import('echarts/renderers'),
  ]);
  const { BarChart, LineChart, ScatterChart } = charts;
  const { GridComponent, LegendComponent, TitleComponent } = components;
  core.use([BarChart, LineChart, ScatterChart]);
  core.use([GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
  return core.init(null, null, { renderer: 'svg', ssr: true, width, height });
}

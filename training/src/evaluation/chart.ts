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
  return svg;
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

/** Charts as SVGs. */
/**
 * A chart that is drawn as an SVG. ECharts is large and only needed for pictures: it is loaded when
 * the first is drawn.
 */
export async function newChart({ width = 900, height = 500 } = {}) {
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

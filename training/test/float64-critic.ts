/** A critic of convolutions and leaky rectifiers in float64 and plain loops: an oracle. */

type Size = readonly [height: number, width: number, channels: number];

/** A convolution, k×k with stride s and p zeros around, and the rectifier behind it. */
export interface Layer {
  readonly name: string;
  readonly from: Size;
  readonly to: Size;
  readonly k: number;
  readonly s: number;
  readonly p: number;
  readonly slope: number;
}

type Weights = Readonly<Record<string, Float64Array>>;

/** Calls `visit` for each product in a convolution: places in its input, kernel and output. */
function eachProduct(layer: Layer, visit: (x: number, w: number, y: number) => void): void {
  const { from, to, k, s, p } = layer;
  const [height, width, channels] = from;
  const [rows, columns, outs] = to;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          const [y, x] = [row * s - p + i, column * s - p + j];
          if (y < 0 || x < 0 || y >= height || x >= width) continue;
          for (let c = 0; c < channels; c++)
            for (let o = 0; o < outs; o++)
              visit(
                (y * width + x) * channels + c,
                ((i * k + j) * channels + c) * outs + o,
                (row * columns + column) * outs + o,
              );
        }
}

/** The critic's score of an image, and its gradient for the pixels. */
function judge(layers: readonly Layer[], weights: Weights, image: Float64Array) {
  const factors: Float64Array[] = [];
  let x = image;
  for (const layer of layers) {
    const kernel = weights[`${layer.name}/kernel`] as Float64Array;
    const bias = weights[`${layer.name}/bias`];
    const [rows, columns, outs] = layer.to;
    const y = Float64Array.from({ length: rows * columns * outs }, (_, i) => bias?.[i % outs] ?? 0);
    eachProduct(layer, (a, w, b) => {
      y[b] = (y[b] as number) + (x[a] as number) * (kernel[w] as number);
    });
    const factor = y.map((value) => (value > 0 ? 1 : layer.slope));
    factors.push(factor);
    x = y.map((value, i) => value * (factor[i] as number));
  }
  const score = x[0] as number;
  let dy = Float64Array.of(1);
  for (const [index, layer] of [...layers.entries()].reverse()) {
    const kernel = weights[`${layer.name}/kernel`] as Float64Array;
    const [height, width, channels] = layer.from;
    const dx = new Float64Array(height * width * channels);
    const before = dy.map((value, i) => value * (factors[index]?.[i] as number));
    eachProduct(layer, (a, w, b) => {
      dx[a] = (dx[a] as number) + (before[b] as number) * (kernel[w] as number);
    });
    dy = dx;
  }
  return { score, slopes: dy };
}

/** The images of one row of a batch; `mixed` lies between the other two. */
export type Row = { readonly [kind in 'real' | 'fake' | 'mixed']: Float64Array };

/** The critic's loss of WGAN-GP: fake − real + 10 (‖∇‖ − 1)². */
export const wganLossOf = (layers: readonly Layer[], weights: Weights, batch: readonly Row[]) =>
  batch.reduce((sum, { real, fake, mixed }) => {
    const score = (image: Float64Array) => judge(layers, weights, image).score;
    const norm = Math.hypot(...judge(layers, weights, mixed).slopes);
    return sum + (score(fake) - score(real) + 10 * (norm - 1) ** 2) / batch.length;
  }, 0);

/** The pairwise relativistic loss with R1 and R2: log(1 + e^(fake − real)) + γ₁/2 ‖∇real‖² + γ₂/2 ‖∇fake‖². */
export const pairsLossOf = (
  layers: readonly Layer[],
  weights: Weights,
  batch: readonly Row[],
  [r1, r2]: readonly [number, number],
) =>
  batch.reduce((sum, row) => {
    const [real, fake] = [judge(layers, weights, row.real), judge(layers, weights, row.fake)];
    const square = (slopes: Float64Array) => slopes.reduce((all, x) => all + x * x, 0);
    const penalties = (r1 * square(real.slopes) + r2 * square(fake.slopes)) / 2;
    return sum + (Math.log1p(Math.exp(fake.score - real.score)) + penalties) / batch.length;
  }, 0);

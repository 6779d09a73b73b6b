import sharp from 'sharp';
import { expect, test } from 'vitest';
import { lossCurves, smooth, thin } from '../src/tracking/plot.js';

/** The heights, from the top, at which column `x` of a picture is of about this colour. */
async function heightsOf([r, g, b]: [number, number, number], x: number, svg: string) {
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Array.from({ length: info.height }, (_, y) => y).filter((y) => {
    const at = (y * info.width + x) * 3;
    const near = (channel: number, value: number) =>
      Math.abs((data[at + channel] as number) - value) < 48;
    return y > 80 && near(0, r) && near(1, g) && near(2, b);
  });
}

const DISCRIMINATOR: [number, number, number] = [0xc2, 0x41, 0x0c];
const GENERATOR: [number, number, number] = [0x1d, 0x4e, 0xd8];

test('a plot draws its lines where the losses are', async () => {
  // The generator's loss rises from 1 to 3, the discriminator's stays at 1.
  const rows = Array.from({ length: 1001 }, (_, step) => ({
    step,
    discriminator: 1,
    generator: 1 + step / 500,
  }));
  const svg = await lossCurves(rows, { title: 'rise' });
  const column = (share: number) => Math.round(72 + share * (900 - 72 - 40));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const low = mean(await heightsOf(DISCRIMINATOR, column(0.5), svg));
  const early = mean(await heightsOf(GENERATOR, column(0.25), svg));
  const middle = mean(await heightsOf(GENERATOR, column(0.5), svg));
  const late = mean(await heightsOf(GENERATOR, column(0.75), svg));
  expect(low).toBeGreaterThan(early); // further down
  expect(Math.abs(early - middle - (middle - late))).toBeLessThan(3); // a straight line
  // 0.5 of the loss lies between columns a quarter apart, and 1 between the first and the low one.
  expect(Math.abs(low - middle - 2 * (middle - late))).toBeLessThan(4);
});

test('a plot shows its title as text, whatever it holds, and the names in a legend', async () => {
  const rows = [{ step: 1, a: 1, b: 2 }];
  const svg = await lossCurves(rows, { title: '<i>&"x"', measures: ['a', 'b'] });
  expect(svg).toContain('&lt;i&gt;&amp;&quot;x&quot;</text>');
  expect(svg).toMatch(/>a<\/text>[\s\S]*>b<\/text>/);
});

test('a plot can be drawn of losses that diverged, and of none', async () => {
  const rows = [1, 2, 3, 4].map((step) => ({ step, discriminator: step > 2 ? Number.NaN : 1 }));
  for (const some of [rows, rows.slice(2), []]) {
    const svg = await lossCurves(some, { title: 'x' });
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect((await sharp(Buffer.from(svg)).metadata()).width).toBe(900);
  }
});

test('the plot of a long run is not a large picture', async () => {
  const rows = Array.from({ length: 100_000 }, (_, step) => ({
    step,
    discriminator: Math.sin(step),
    generator: Math.cos(step),
  }));
  expect((await lossCurves(rows, { title: 'long' })).length).toBeLessThan(60_000);
});

test('thin takes averages of neighbours', () => {
  const points = [1, 2, 3, 4, 5].map((v): [number, number] => [v, v * v]);
  expect(thin(points, 5)).toEqual(points);
  expect(thin(points, 3)).toEqual([
    [1.5, 2.5],
    [3.5, 12.5],
    [5, 25],
  ]);
  expect(thin([], 5)).toEqual([]);
});

test('smooth leaves straight lines alone, to their ends, and takes off noise', () => {
  const line = Array.from({ length: 20 }, (_, i): [number, number] => [i, 3 * i - 7]);
  for (const [i, [step, value]] of smooth(line, 4).entries()) {
    expect(step).toBe(i);
    expect(value).toBeCloseTo(3 * i - 7, 12);
  }
  const zigzag = line.map(([step], i): [number, number] => [step, i % 2 ? 1 : -1]);
  expect(
    smooth(zigzag, 1)
      .slice(1, -1)
      .map(([, value]) => Math.abs(value)),
  ).toEqual(Array(18).fill(expect.closeTo(1 / 3, 12)));
});

test('a plot has the same bytes, however many a process drew before', async () => {
  const rows = Array.from({ length: 10 }, (_, step) => ({
    step,
    discriminator: 1,
    generator: step,
  }));
  const svg = await lossCurves(rows, { title: 'twice' });
  expect(svg).toMatch(/class="cls-\d+"/);
  expect(await lossCurves(rows, { title: 'twice' })).toBe(svg);
});

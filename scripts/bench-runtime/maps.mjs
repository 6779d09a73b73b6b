/** Score maps by one pass over a picture, against scoring its fragments one by one or all at once. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Discriminator, openSession, stream } from '@gpn/runtime';
import { JUDGES, judgeFile } from './models.mjs';
import { alone, inRounds, median } from './timing.mjs';

const LARGE = 2048;

const picture = (side) => ({
  width: side,
  height: side,
  data: Uint8Array.from(stream(3, 'picture').below(side * side, 256)),
});

/** All fragments of a picture with values in [-1, 1], [count, side, side], and black around it. */
function fragmentsOf({ width, data }, { internal, frame }) {
  const side = internal + 2 * frame;
  const across = width - internal + 1;
  const pixel = (x, y) =>
    x < 0 || y < 0 || x >= width || y >= width ? -1 : data[y * width + x] / 127.5 - 1;
  return Float32Array.from({ length: across ** 2 * side ** 2 }, (_, i) => {
    const [k, p] = [Math.floor(i / side ** 2), i % side ** 2];
    const [x, y] = [(k % across) + (p % side), Math.floor(k / across) + Math.floor(p / side)];
    return pixel(x - frame, y - frame);
  });
}

/** Rows of a table: a judge each. Fragments are scored in the form that is quickest for them. */
export async function maps({ threads }) {
  const rows = [];
  for (const [name, fragment] of Object.entries(JUDGES)) {
    const judge = await Discriminator.load(judgeFile(name, true), { device: 'cpu', threads });
    const session = await openSession(judgeFile(name, false), { device: 'cpu', threads });
    const image = picture(28);
    const cut = fragmentsOf(image, fragment);
    const side = fragment.internal + 2 * fragment.frame;
    const count = cut.length / side ** 2;
    const run = async (at, n) => {
      const data = cut.subarray(at * side ** 2, (at + n) * side ** 2);
      const feeds = { x: { dtype: 'float32', shape: [n, side, side, 1], data } };
      return (await session.run(feeds)).y.data;
    };
    const each = async () => {
      const scores = new Float32Array(count);
      for (let k = 0; k < count; k++) scores[k] = (await run(k, 1))[0];
      return scores;
    };
    const dense = async () => (await judge.scoreMap(image)).values;
    const batch = () => run(0, count);
    const [map, ...others] = [await dense(), await batch(), await each()];
    const difference = Math.max(
      ...others.map((scores) => Math.max(...scores.map((v, i) => Math.abs(v - map[i])))),
    );
    const times = await inRounds({ dense: alone(dense), batch: alone(batch), each: alone(each) });
    const ms = Object.fromEntries(Object.entries(times).map(([name, xs]) => [name, median(xs)]));
    await judge.dispose();
    await session.dispose();
    rows.push({
      judge: name,
      fragment: `${fragment.internal} + 2·${fragment.frame}`,
      scores: count,
      difference,
      'dense ms': ms.dense,
      '× a run each': ms.each / ms.dense,
      '× one batch': ms.batch / ms.dense,
      ...large(name, threads),
    });
  }
  return rows;
}

/** A large picture in a process of its own, whose memory is then that of nothing else. */
function large(name, threads) {
  const args = [fileURLToPath(import.meta.url), JSON.stringify({ name, threads })];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const { ms, peak } = JSON.parse(stdout);
  return { [`${LARGE}×${LARGE} s`]: ms / 1000, 'peak MiB': peak };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, threads } = JSON.parse(process.argv[2]);
  const judge = await Discriminator.load(judgeFile(name, true), { device: 'cpu', threads });
  const image = picture(LARGE);
  const start = performance.now();
  const { values } = await judge.scoreMap(image);
  const count = (LARGE - JUDGES[name].internal + 1) ** 2;
  if (values.length !== count) throw new Error(`${values.length} scores, not ${count}`);
  const ms = performance.now() - start;
  console.log(JSON.stringify({ ms, peak: process.resourceUsage().maxRSS / 1024 }));
}

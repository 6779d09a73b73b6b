/**
 * One model's comparison with TF.js in turns, by its backend in WebAssembly and by plain JavaScript alone:
 * the seconds of each and their ratio, beside those of the conversion. Started by run.mjs.
 */
import { parseArgs } from 'node:util';
import { convertModel, parseInputShape, verifyModel } from '@gpn/export';
import { openSession } from '@gpn/runtime';

/** A large model has as many turns as begin within this time, in milliseconds. */
const TIME = 20_000;
const TURNS = 3;
const [file, label, ...flags] = process.argv.slice(2);
const { values } = parseArgs({
  args: flags,
  options: { 'input-shape': { type: 'string', multiple: true, default: [] } },
  strict: false,
});
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const times = { convert: [], wasm: [], cpu: [] };

async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  times[name].push((performance.now() - start) / 1000);
  return result;
}

const inputShapes = Object.fromEntries(values['input-shape'].map(parseInputShape));
const converted = await timed('convert', () => convertModel(file, { inputShapes }));
const session = await openSession(converted.model.toBytes(), { device: 'cpu' });
const run = (inputs) => session.run(inputs);
const inJavaScript = {
  ...converted,
  run: async (inputs, backend) => {
    if (backend === 'wasm') throw new Error('not by this backend');
    return converted.run(inputs);
  },
};
const end = performance.now() + TIME;
for (let turn = 0; turn < TURNS && (turn === 0 || performance.now() < end); turn++) {
  await timed('wasm', () => verifyModel(converted, run));
  await timed('cpu', () => verifyModel(inJavaScript, run));
}
const [wasm, cpu] = [median(times.wasm), median(times.cpu)];
console.log(
  `${label}: converted in ${times.convert[0].toFixed(1)} s, compared in ${wasm.toFixed(1)} s, ` +
    `in plain JavaScript ${cpu.toFixed(1)} s: ${(cpu / wasm).toFixed(1)} times as long`,
);
process.exit(); // the engine's threads are of no use any more

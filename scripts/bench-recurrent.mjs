/**
 * `npm run bench:recurrent`: what recurrent layers of TensorFlow.js cost once they are ONNX: the seconds
 * of the export, those of opening the file, and the milliseconds of a run, beside a file of nothing but
 * ONNX's operator with weights of the same sizes. The runs take turns; figures are medians.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers as L, sequential } from '@tensorflow/tfjs-layers';
import * as ort from 'onnxruntime-node';
import { Builder } from '../export/dist/graph/builder.js';
import { encode } from '../export/dist/graph/encode.js';
import { convertModel } from '../export/dist/index.js';
import { median } from './bench-runtime/timing.mjs';

const ROUNDS = 200;
const folder = mkdtempSync(join(tmpdir(), 'gpn-recurrent-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await tf.setBackend('cpu');

const recurrentInitializer = 'glorotNormal';
const lstm = (units, returnSequences) =>
  L.lstm({ units, returnSequences, recurrentInitializer, recurrentActivation: 'sigmoid' });

const [TIME, FEATURES, UNITS] = [200, 16, 64];
const both = (units) => L.bidirectional({ layer: lstm(units, true) });
const models = {
  'LSTM(64), 200 steps': {
    shape: [TIME, FEATURES],
    layers: [lstm(UNITS, false)],
    alone: true,
  },
  'three BiLSTMs, 315 steps': { shape: [315, 128], layers: [both(96), both(96), both(96)] },
};

/** Saves a model as TensorFlow.js does, and gives the path of its model.json. */
async function saved(name, shape, layers) {
  const inputLayer = L.inputLayer({ inputShape: shape });
  const net = sequential({ layers: [inputLayer, ...layers] });
  const path = join(folder, `${name}.json`);
  const save = async ({ modelTopology, weightSpecs, weightData }) => {
    writeFileSync(join(folder, `${name}.bin`), Buffer.from(weightData));
    const weightsManifest = [{ paths: [`${name}.bin`], weights: weightSpecs }];
    writeFileSync(path, JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  };
  await net.save({ save });
  return path;
}

/** A file of one LSTM, its series with time in front, as ONNX has it. */
function oneOperator() {
  const b = new Builder();
  const weights = (...shape) => {
    const size = shape.reduce((p, q) => p * q);
    return b.constant(
      Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 8),
      shape,
      'float32',
    );
  };
  const x = b.graph.input('x', [TIME, 1, FEATURES], 'float32');
  const state = { shape: [1, 1, UNITS], dtype: 'float32' };
  const [, last] = b.op(
    'LSTM',
    [x, weights(1, 4 * UNITS, FEATURES), weights(1, 4 * UNITS, UNITS), weights(1, 8 * UNITS)],
    { hidden_size: UNITS },
    { shape: [TIME, 1, 1, UNITS], dtype: 'float32' },
    state,
    state,
  );
  b.graph.output('y', last);
  return encode(b.graph, { name: 'one operator', dim: (size) => size });
}

const seconds = async (f) => {
  const begun = performance.now();
  const result = await f();
  return [result, (performance.now() - begun) / 1000];
};
const open = (bytes) => ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });

const rows = {};
for (const [name, { shape, layers, alone }] of Object.entries(models)) {
  const path = await saved(name.replace(/\W+/g, '-'), shape, layers);
  const [converted, exported] = await seconds(() => convertModel(path));
  const [session, opened] = await seconds(() => open(converted.model.toBytes()));
  const input = (dims) =>
    new ort.Tensor('float32', new Float32Array(dims.reduce((p, q) => p * q)).fill(0.1), dims);
  const ours = () => session.run({ [session.inputNames[0]]: input([1, ...shape]) });
  const other = alone && (await open(oneOperator()));
  const theirs = other && (() => other.run({ x: input([TIME, 1, FEATURES]) }));
  const times = { ours: [], theirs: [] };
  for (let i = 0; i < (alone ? ROUNDS : 10); i++) {
    times.ours.push((await seconds(ours))[1] * 1000);
    if (theirs) times.theirs.push((await seconds(theirs))[1] * 1000);
  }
  const [run, bare] = [median(times.ours), theirs && median(times.theirs)];
  rows[name] = {
    'export, s': exported.toFixed(2),
    'open, s': opened.toFixed(3),
    'run, ms': run.toFixed(2),
    'one operator, ms': bare?.toFixed(2) ?? '',
    ratio: bare ? (run / bare).toFixed(2) : '',
  };
}
console.table(rows);

/**
 * Brings model files that an earlier version of gpn exported into today's form, which more engines
 * read: weights as float32 instead of float16 behind a Cast, even padding of transposed convolutions,
 * axes of means as an attribute, names of free sizes, opset 13. What they compute and say of
 * themselves stays.
 *
 *   node scripts/rewrite-model.mjs FILE.onnx…
 *
 * Each file is replaced, once both forms have drawn or scored the same to the last bit.
 */
import { readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { openSession } from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** Operators that opset 13 has in the form in which earlier versions wrote them. */
const IN_OPSET_13 = new Set(
  (
    'Abs Add Cast Concat Conv ConvTranspose Gemm LeakyRelu ReduceMean Relu Reshape Sigmoid Slice ' +
    'Softmax Squeeze Sub Tanh Transpose Unsqueeze'
  ).split(' '),
);
const { FLOAT, FLOAT16 } = TensorProto_DataType;

function rewritten(bytes, file) {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  const strange = graph.node.find(({ opType }) => !IN_OPSET_13.has(opType));
  if (strange) throw new Error(`${file} has the operator ${strange.opType}: export it again`);
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const lists = (name) => Array.from(new BigInt64Array(constants.get(name).rawData.slice().buffer));

  graph.node = graph.node.filter(({ opType, input, output }) => {
    const half = opType === 'Cast' ? constants.get(input[0]) : undefined;
    if (half?.dataType === FLOAT16) constants.set(output[0], widened(half, output[0]));
    return half?.dataType !== FLOAT16;
  });
  for (const node of graph.node) {
    if (node.opType === 'ConvTranspose') padEvenly(node, constants);
    if (node.opType === 'ReduceMean' && node.input.length === 2) {
      node.attribute.push(
        create(AttributeProtoSchema, {
          name: 'axes',
          type: AttributeProto_AttributeType.INTS,
          ints: lists(node.input.pop()),
        }),
      );
    }
  }
  const read = new Set(graph.node.flatMap(({ input }) => input));
  const ends = new Set(graph.output.map(({ name }) => name));
  graph.initializer = [...constants.values()].filter(({ name }) => read.has(name));
  graph.valueInfo = graph.node
    .filter(({ opType, output }) => opType === 'Reshape' && !ends.has(output[0]))
    .map(({ input, output }) => shapeOf(output[0], lists(input[1])));
  model.opsetImport[0].version = 13n;
  model.irVersion = 7n;
  return toBinary(ModelProtoSchema, model);
}

/** Every float16 is a float32. */
const widened = ({ dims, rawData }, name) =>
  create(TensorProtoSchema, {
    name,
    dims,
    dataType: FLOAT,
    rawData: new Uint8Array(
      Float32Array.from(new Uint16Array(rawData.slice().buffer), fromHalf).buffer,
    ),
  });

function fromHalf(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** As the exporter does it: zeros in front of the filter, as many as the padding behind is wider. */
function padEvenly(node, constants) {
  const of = (name) => node.attribute.find((attribute) => attribute.name === name);
  const [pads, kernel] = [of('pads'), of('kernel_shape')];
  const [top, left, bottom, right] = pads.ints.map(Number);
  const [above, before] = [bottom - top, right - left];
  if (above === 0 && before === 0) return;
  if (above < 0 || before < 0 || of('dilations').ints.some((d) => d !== 1n))
    throw new Error('this padding has not been met before: export the network again');
  const filter = constants.get(node.input[1]);
  const [out, channels, h, w] = filter.dims.map(Number);
  const values = new Float32Array(filter.rawData.slice().buffer);
  const [height, width] = [h + above, w + before];
  const wider = new Float32Array(out * channels * height * width);
  values.forEach((value, i) => {
    const [plane, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    wider[(plane * height + y + above) * width + x + before] = value;
  });
  filter.dims = [out, channels, height, width].map(BigInt);
  filter.rawData = new Uint8Array(wider.buffer);
  kernel.ints = [height, width].map(BigInt);
  pads.ints = [bottom, right, bottom, right].map(BigInt);
}

/** The type of a reshaped value: the size that is not given is the batch's. */
const shapeOf = (name, sizes) =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: FLOAT,
          shape: {
            dim: sizes.map((size) => ({
              value:
                size === -1n ? { case: 'dimParam', value: 'N' } : { case: 'dimValue', value: size },
            })),
          },
        },
      },
    },
  });

/** @throws Error if the two files give different bits for the same inputs, at batches of 1, 3 and 64 */
async function compare(before, after, file) {
  const sessions = await Promise.all(
    [before, after].map((bytes) => openSession(bytes, { device: 'cpu', label: file })),
  );
  for (const batch of [1, 3, 64]) {
    const feeds = Object.fromEntries(
      sessions[0].inputs.map(({ name, shape }) => {
        const sizes = shape.map((d, i) => (typeof d === 'number' ? d : i === 0 ? batch : 28));
        const data = Float32Array.from({ length: sizes.reduce((a, b) => a * b) }, (_, i) =>
          Math.sin(i * 12.9898),
        );
        return [name, { dtype: 'float32', shape: sizes, data }];
      }),
    );
    const [old, now] = await Promise.all(sessions.map((session) => session.run(feeds)));
    for (const [name, { data }] of Object.entries(old)) {
      const differs = data.findIndex((x, i) => !Object.is(x, now[name].data[i]));
      if (differs >= 0) throw new Error(`${file}: ${name}[${differs}] differs at batch ${batch}`);
    }
  }
  await Promise.all(sessions.map((session) => session.dispose()));
}

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node scripts/rewrite-model.mjs FILE.onnx…');
  process.exit(2);
}
for (const file of files) {
  const before = Uint8Array.from(readFileSync(file));
  const after = rewritten(before, file);
  await compare(before, after, file);
  await writeFileAtomic(file, after);
  console.log(`${file}: ${before.length} → ${after.length} bytes`);
}

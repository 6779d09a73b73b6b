/**
 * What a graph may ask for before it is given to ONNX Runtime: no weights from other files, no
 * tensor of a known size above the memory's limit, and on request only operators of a list.
 * It reads the graph's wire format and skips the weights.
 */
import { UserError } from '../../errors.js';
import { product } from '../../shape.js';
import { GENEROUS, type Limits } from '../limits.js';
import { type Field, fields, Malformed, varint } from './protobuf.js';

/**
 * The operators of `bounded`. Loops and other subgraphs are missing, functions, and whatever takes
 * the size of its result from a value.
 */
const BOUNDED: ReadonlySet<string> = new Set(
  `Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil
  Clip Concat Constant Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Elu Equal Erf Exp Flatten
  Floor Gather GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid
  HardSwish Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less
  LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mod Mul Neg Not Or PRelu Pow Reciprocal
  ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Round
  ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign
  SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh Transpose Unsqueeze Where Xor`.split(/\s+/),
);

/** Graphs within graphs, at most. */
const MAX_DEPTH = 16;

/** Pads, strides, kernels and the like: no honest network has a larger one. */
const MAX_ATTRIBUTE = 4096;

const SPATIAL: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'Col2Im',
]);

/** The input that says the size of the result. */
const SIZE_INPUT: Readonly<Record<string, number>> = { ConstantOfShape: 0, Expand: 1, Resize: 3 };

/** Field numbers of onnx.proto, by message. */
const MODEL = { graph: 7, training: 20, functions: 25 };
const TRAINING = { initialization: 1, algorithm: 2 };
const FUNCTION = { node: 7 };
const GRAPH = { node: 1, initializer: 5, sparse: 15 };
const SPARSE = { values: 1, indices: 2 };
const NODE = { input: 1, output: 2, type: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = {
  name: 1,
  i: 3,
  t: 5,
  g: 6,
  ints: 8,
  tensors: 10,
  graphs: 11,
  sparse: 22,
  sparses: 23,
};
const TENSOR = { dims: 1, type: 2, int64: 7, name: 8, raw: 9, external: 13, location: 14 };

const INT64 = 7;
/** Bytes of an element by ONNX's number of its type; texts have no fixed size. */
const WIDTHS: Readonly<Record<number, number>> = {
  ...{
    1: 4,
    2: 1,
    3: 1,
    4: 2,
    5: 2,
    6: 4,
    7: 8,
    9: 1,
    10: 2,
    11: 8,
    12: 4,
    13: 8,
    14: 8,
    15: 16,
    16: 2,
  },
};

interface Walk {
  readonly bytes: Uint8Array;
  readonly label: string;
  readonly limits: Required<Limits>;
  /** Small integer constants by name: those from which operators take a size. */
  readonly sizes: Map<string, number[]>;
}

const decoder = new TextDecoder();

/**
 * Checks a model's graph.
 *
 * @throws UserError if it takes weights from other files or asks for more than the limits
 */
export function checkPolicy(bytes: Uint8Array, label = 'The model', limits: Limits = {}): void {
  const walk: Walk = { bytes, label, limits: { ...GENEROUS, ...limits }, sizes: new Map() };
  try {
    for (const field of fields(bytes)) {
      if (field.number === MODEL.graph) graph(walk, field, 0);
      if (field.number === MODEL.training) {
        for (const part of inside(walk, field)) {
          if (part.number === TRAINING.initialization || part.number === TRAINING.algorithm)
            graph(walk, part, 0);
        }
      }
      if (field.number !== MODEL.functions) continue;
      if (walk.limits.operators === 'bounded') refuse(walk, 'it has functions of its own');
      for (const part of inside(walk, field)) {
        if (part.number === FUNCTION.node) node(walk, part, 1);
      }
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    // Files that are no ONNX at all have a better sentence from the reader of metadata.
    throw new UserError(`${label} is not a complete ONNX file: ${error.message}.`);
  }
}

function* inside({ bytes }: Walk, { type, content, end }: Field): Generator<Field> {
  if (type !== 2) throw new Malformed('a message is not one');
  yield* fields(bytes, content, end);
}

const text = ({ bytes }: Walk, { content, end }: Field): string =>
  decoder.decode(bytes.subarray(content, end));

function refuse({ label }: Walk, what: string): never {
  throw new UserError(`${label} is refused: ${what}.`);
}

const tooLarge = (walk: Walk, what: string): never =>
  refuse(walk, `${what} would take more than ${mebibytes(walk.limits.memory)} of memory`);

/** `1,024 MiB`. */
export const mebibytes = (bytes: number): string =>
  `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;

function graph(walk: Walk, field: Field, depth: number): void {
  if (depth > MAX_DEPTH) refuse(walk, 'its graphs are nested too deeply');
  // Constants come after the nodes that use them.
  for (const part of inside(walk, field)) {
    if (part.number === GRAPH.initializer) tensor(walk, part);
    if (part.number === GRAPH.sparse) sparse(walk, part);
  }
  for (const part of inside(walk, field)) {
    if (part.number === GRAPH.node) node(walk, part, depth);
  }
}

function sparse(walk: Walk, field: Field): void {
  for (const part of inside(walk, field)) {
    if (part.number === SPARSE.values || part.number === SPARSE.indices) tensor(walk, part);
  }
}

/** The integers of a repeated field, packed or not; signed. */
function integers({ bytes }: Walk, { type, content, end }: Field): number[] {
  const found: number[] = [];
  for (let at = content; at < end; ) {
    const [value, next] = varint(bytes, at, end);
    found.push(value >= 2 ** 63 ? value - 2 ** 64 : value);
    at = next;
    if (type === 0) break;
  }
  return found;
}

/** Checks a tensor; gives its values if they are a few int64. */
function tensor(walk: Walk, field: Field, name = ''): number[] | undefined {
  const dims: number[] = [];
  const values: number[] = [];
  let type = 0;
  let raw: Field | undefined;
  let own = name;
  for (const part of inside(walk, field)) {
    if (part.number === TENSOR.external) outside(walk);
    if (part.number === TENSOR.location && integers(walk, part)[0] === 1) outside(walk);
    if (part.number === TENSOR.dims) dims.push(...integers(walk, part));
    if (part.number === TENSOR.type) type = integers(walk, part)[0] ?? 0;
    if (part.number === TENSOR.name) own = text(walk, part);
    if (part.number === TENSOR.raw) raw = part;
    if (part.number === TENSOR.int64 && part.end - part.content < 1000)
      values.push(...integers(walk, part));
  }
  if (dims.some((size) => size < 0)) refuse(walk, 'a tensor has a negative size');
  if (product(dims) * (WIDTHS[type] ?? 1) > walk.limits.memory) tooLarge(walk, 'a tensor');
  if (type !== INT64 || product(dims) > 16) return undefined;
  if (raw !== undefined && raw.end - raw.content <= 128) {
    const view = new DataView(
      walk.bytes.buffer,
      walk.bytes.byteOffset + raw.content,
      raw.end - raw.content,
    );
    for (let at = 0; at + 8 <= view.byteLength; at += 8)
      values.push(Number(view.getBigInt64(at, true)));
  }
  walk.sizes.set(own, values);
  return values;
}

const outside = (walk: Walk): never =>
  refuse(walk, 'its weights lie in another file, which is not read: store them in the model');

function node(walk: Walk, field: Field, depth: number): void {
  const inputs: string[] = [];
  let output = '';
  let type = '';
  let domain = '';
  const attributes: Field[] = [];
  for (const part of inside(walk, field)) {
    if (part.number === NODE.input) inputs.push(text(walk, part));
    if (part.number === NODE.output && output === '') output = text(walk, part);
    if (part.number === NODE.type) type = text(walk, part);
    if (part.number === NODE.domain) domain = text(walk, part);
    if (part.number === NODE.attribute) attributes.push(part);
  }
  const standard = domain === '' || domain === 'ai.onnx';
  if (walk.limits.operators === 'bounded' && !(standard && BOUNDED.has(type))) {
    refuse(
      walk,
      `the operator ${type.slice(0, 60)} is not among those with bounds on their results`,
    );
  }
  for (const part of attributes) attribute(walk, part, type, output, depth);
  const sizes = walk.sizes.get(inputs[SIZE_INPUT[type] ?? -1] ?? '');
  if (sizes && elements(sizes) * 4 > walk.limits.memory) tooLarge(walk, `the result of ${type}`);
  const repeats = type === 'Tile' || type === 'Pad' ? walk.sizes.get(inputs[1] ?? '') : undefined;
  if (repeats?.some((n) => n * 4 > walk.limits.memory)) tooLarge(walk, `the result of ${type}`);
}

/** A size of 0 or -1 is one that is not known here. */
const elements = (shape: readonly number[]): number => product(shape.map((n) => Math.max(1, n)));

function attribute(walk: Walk, field: Field, type: string, output: string, depth: number): void {
  let most = 0;
  for (const part of inside(walk, field)) {
    const { number } = part;
    if (number === ATTRIBUTE.t || number === ATTRIBUTE.tensors) tensor(walk, part, output);
    else if (number === ATTRIBUTE.sparse || number === ATTRIBUTE.sparses) sparse(walk, part);
    else if (number === ATTRIBUTE.g || number === ATTRIBUTE.graphs) graph(walk, part, depth + 1);
    else if (number === ATTRIBUTE.ints || number === ATTRIBUTE.i)
      most = Math.max(most, ...integers(walk, part).slice(0, 1000).map(Math.abs));
  }
  if (SPATIAL.has(type) && most > MAX_ATTRIBUTE) {
    refuse(walk, `an attribute of ${type} is ${most}, and at most ${MAX_ATTRIBUTE} is allowed`);
  }
}

import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, RNN } from '@tensorflow/tfjs-layers';
import type { Builder } from '../graph/builder.js';
import type { Attrs, Value } from '../graph/value.js';
import { dense, laidOut, type View, view } from '../graph/view.js';
import { TraceBackend } from './backend.js';

/**
 * TF.js computes a recurrent layer step by step, and recording that writes its operators once for
 * each. ONNX has the common kinds of layers as operators, over a series of any length: while a
 * function is recorded, such a layer becomes one of them. Other cells, and layers whose gradients
 * are taken, are recorded step by step.
 */

interface Activation {
  getClassName(): string;
}

interface Cell {
  readonly units: number;
  readonly stateSize: number | number[];
  readonly kernel: LayerVariable;
  readonly recurrentKernel: LayerVariable;
  readonly bias?: LayerVariable | null;
  readonly activation: Activation;
  readonly recurrentActivation?: Activation;
  /** Of a GRU: whether the state is reset after its product with the weights. */
  readonly resetAfter?: boolean;
  getClassName(): string;
}

/** What TF.js's layer has and does not publish. */
interface Layer extends Omit<RNN, 'cell' | 'states_'> {
  readonly cell: Cell;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  readonly stateful: boolean;
  readonly states_: tf.Tensor[] | null;
}

interface Arguments {
  readonly mask?: tf.Tensor | null;
  readonly training?: boolean | null;
  readonly initialState?: tf.Tensor[] | null;
}

/** ONNX's operator for a cell. */
interface Operator {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  /** Per gate of ONNX, in its order, the place of the gate in TF.js's matrices. */
  readonly gates: readonly number[];
  readonly states: number;
  /** The cell's activations in ONNX's order. */
  readonly activations: (cell: Cell) => readonly (Activation | undefined)[];
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  // TF.js: input, forget, candidate, output. ONNX: input, output, forget, candidate.
  LSTMCell: {
    op: 'LSTM',
    gates: [0, 3, 1, 2],
    states: 2,
    activations: (c) => [c.recurrentActivation, c.activation, c.activation],
  },
  // Update, reset, candidate in both.
  GRUCell: {
    op: 'GRU',
    gates: [0, 1, 2],
    states: 1,
    activations: (c) => [c.recurrentActivation, c.activation],
  },
  SimpleRNNCell: { op: 'RNN', gates: [0], states: 1, activations: (c) => [c.activation] },
};

/** ONNX's names of activations, by TF.js's. Those with parameters are as TF.js has them by default. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  relu: 'Relu',
  hardSigmoid: 'HardSigmoid',
  softsign: 'Softsign',
};

/** A tensor's axes batch, time, features as ONNX has them: time, batch, features. */
const TIME_FIRST = [1, 0, 2];

type Call = (this: unknown, inputs: tf.Tensor | tf.Tensor[], kwargs: Arguments) => unknown;

// Importing this file makes TF.js's recurrent layers record themselves as one operator.
const stepByStep = RNN.prototype.call as unknown as Call;
RNN.prototype.call = function (this: RNN, inputs: tf.Tensor | tf.Tensor[], kwargs: Arguments) {
  const layer = this as unknown as Layer;
  const backend = tf.backend();
  const recorded =
    backend instanceof TraceBackend && tf.engine().state.gradientDepth === 0 && !kwargs?.training
      ? recurrence(layer.cell)
      : undefined;
  const [series] = [inputs].flat() as [tf.Tensor];
  // TF.js hands a layer that has no mask of its own that of the layer before, of another length.
  const foreign = kwargs?.mask && kwargs.mask.shape[1] !== series.shape[1];
  if (!recorded || foreign) return stepByStep.call(this, inputs, kwargs);
  return tf.tidy(() => record(layer, recorded, series, kwargs));
} as typeof RNN.prototype.call;

interface Recurrence extends Operator {
  readonly names: readonly string[];
}

/** How a cell is written, if ONNX has its kind with its activations. */
function recurrence(cell: Cell): Recurrence | undefined {
  const operator = OPERATORS[cell.getClassName()];
  const names = operator
    ?.activations(cell)
    .map((activation) => ACTIVATIONS[activation?.getClassName() ?? '']);
  if (!operator || !names?.every((name) => name !== undefined)) return undefined;
  return { ...operator, names: names as string[] };
}

function record(
  layer: Layer,
  recorded: Recurrence,
  inputs: tf.Tensor,
  { mask, initialState }: Arguments = {},
): tf.Tensor | tf.Tensor[] {
  const first = initialState ?? (layer.stateful ? layer.states_ : null) ?? undefined;
  const run = (x: tf.Tensor, lengths?: tf.Tensor): Run =>
    operator(layer.cell, recorded, x, {
      backwards: layer.goBackwards && !mask,
      first,
      lengths,
    });
  const { outputs, states } = mask ? masked(layer, inputs, mask, first, run) : run(inputs);
  if (layer.stateful) layer.resetStates(states, false);
  const output = layer.returnSequences ? outputs : (states[0] as tf.Tensor);
  return layer.returnState ? [output, ...states] : output;
}

/** What a layer gives: [batch, time, units] in the order of its steps, and its last states. */
interface Run {
  readonly outputs: tf.Tensor;
  readonly states: tf.Tensor[];
}

/**
 * A masked step leaves the state as it is. So the steps that count are moved to the front, a shorter
 * series is run, and each step gets the output of the last one that counted: the first state, if none
 * did.
 */
function masked(
  { goBackwards, cell }: Layer,
  inputs: tf.Tensor,
  mask: tf.Tensor,
  first: tf.Tensor[] | undefined,
  run: (x: tf.Tensor, lengths: tf.Tensor) => Run,
): Run {
  const [batch, time] = inputs.shape as [number, number];
  const ordered = (t: tf.Tensor): tf.Tensor => (goBackwards ? tf.reverse(t, 1) : t);
  const counts = tf.cast(ordered(tf.reshape(mask, [batch, time])), 'bool');
  const flags = tf.cast(counts, 'int32');
  const done = tf.cumsum(flags, 1);
  const lengths = tf.sum(flags, 1);
  // Steps that count have the larger keys, earlier ones before later ones.
  const places = tf.cast(tf.cumsum(tf.onesLike(flags), 1), 'float32');
  const keys = tf.where(counts, tf.reciprocal(places), tf.neg(places));
  const { indices } = tf.topk(keys, time);
  const { outputs, states } = run(tf.gather(ordered(inputs), indices, 1, 1), lengths);
  const start = (i: number): tf.Tensor => first?.[i] ?? tf.zerosLike(states[i] as tf.Tensor);
  const begun = tf.greater(done, 0);
  const last = tf.cast(tf.maximum(tf.sub(done, 1), 0), 'int32');
  return {
    outputs: tf.where(
      tf.expandDims(begun, 2),
      tf.gather(outputs, last, 1, 1),
      tf.reshape(start(0), [batch, 1, cell.units]),
    ),
    states: states.map((state, i) =>
      tf.where(tf.reshape(tf.greater(lengths, 0), [batch, 1]), state, start(i)),
    ),
  };
}

interface Series {
  readonly backwards: boolean;
  readonly first: tf.Tensor[] | undefined;
  readonly lengths: tf.Tensor | undefined;
}

function operator(
  cell: Cell,
  { op, gates, states, names }: Recurrence,
  x: tf.Tensor,
  { backwards, first, lengths }: Series,
): Run {
  const { units } = cell;
  const perGate = (t: tf.Tensor, axis: number): tf.Tensor => {
    const parts = tf.split(t, gates.length, axis);
    return tf.concat(
      gates.map((gate) => parts[gate] as tf.Tensor),
      axis,
    );
  };
  // One row of weights for each number computed; in front, the axis of directions.
  const rows = (matrix: LayerVariable): tf.Tensor =>
    tf.expandDims(tf.transpose(perGate(matrix.read(), 1)), 0);
  // ONNX adds a second bias, to the product with the state.
  const one = cell.bias?.read();
  const two = one && (cell.resetAfter ? tf.unstack(one) : [one, tf.zeros(one.shape)]);
  const bias =
    two &&
    tf.concat(
      two.map((row) => perGate(row, 0)),
      0,
    );
  const tensors = {
    x,
    kernel: rows(cell.kernel),
    recurrent: rows(cell.recurrentKernel),
    ...(bias && { bias: tf.expandDims(bias, 0) }),
    ...(lengths && { lengths }),
    ...(first && Object.fromEntries(first.map((state, i) => [`state${i}`, state]))),
  };
  const attrs: Attrs = {
    hidden_size: units,
    direction: backwards ? 'reverse' : 'forward',
    activations: names,
    ...(cell.resetAfter && { linear_before_reset: 1 }),
  };
  const [outputs, ...last] = (tf.backend() as TraceBackend).record(tensors, (b, views) =>
    node(b, op, views, attrs, units, states),
  ) as [tf.Tensor, ...tf.Tensor[]];
  // ONNX puts what it computed backwards in the order of time; TF.js, in the order of its steps.
  return { outputs: backwards ? tf.reverse(outputs, 1) : outputs, states: last };
}

/** The operator: its outputs over time, and its last states. */
function node(
  b: Builder,
  op: string,
  views: Readonly<Record<string, View>>,
  attrs: Attrs,
  units: number,
  states: number,
): View[] {
  const given = (name: string): Value | undefined => {
    const found = views[name];
    return found && dense(b, found);
  };
  const steps = laidOut(b, views.x as View, TIME_FIRST);
  const [time, batch] = steps.shape as [number, number, number];
  const starts = Array.from({ length: states }, (_, i) => {
    const state = given(`state${i}`);
    return state && b.Reshape(state, [1, batch, units]);
  });
  const weights = ['kernel', 'recurrent', 'bias', 'lengths'].map(given);
  const inputs = [steps, ...weights, ...starts];
  const { dtype } = steps;
  const state = { shape: [1, batch, units], dtype };
  const results = b.op(
    op,
    // Optional inputs at the end are left out.
    inputs.slice(0, inputs.findLastIndex((v) => v !== undefined) + 1),
    attrs,
    { shape: [time, 1, batch, units], dtype },
    ...starts.map(() => state),
  );
  const [outputs, ...last] = results as [Value, ...Value[]];
  return [
    view(b.Reshape(outputs, [time, batch, units]), TIME_FIRST),
    ...last.map((v) => view(b.Reshape(v, [batch, units]))),
  ];
}

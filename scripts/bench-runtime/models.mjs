/** The networks that are measured, with weights that vary, as model files and as TF.js functions. */
import { spec, trace } from '@gpn/export';
import { initialize, NETWORKS } from '@gpn/models';
import { stream, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';

/** Generators by the names of their systems, or of the rows of `bench:train`; `side` in pixels. */
export const SYSTEMS = {
  'dcgan-mnist (5)': { network: 'dcgan-mnist', latentSize: 16, parameters: 172_608 },
  'gan-mnist (3)': { network: 'mlp-mnist', latentSize: 100, parameters: 1_510_032 },
  'dcgan-64': { network: 'dcgan-64', latentSize: 100, side: 64, parameters: 3_576_704 },
  'resnet-32': { network: 'resnet', latentSize: 64, side: 32, parameters: 241_472 },
  'resnet-64': { network: 'resnet', latentSize: 64, side: 64, parameters: 695_104 },
};

/** What the images of a system are: digits, or colour where a side is given. */
const imageOf = ({ side }) => ({
  ...{ height: side ?? 28, width: side ?? 28, channels: side ? 3 : 1 },
  ...{ range: [-1, 1], layout: 'NHWC', color: side ? 'rgb' : 'gray' },
});
const IMAGE = imageOf({});

function tensors(specs) {
  const random = stream(5, 'weights');
  const start = initialize(specs, 'kaiming', (count) => random.normal(count));
  return Object.fromEntries(
    Object.entries(start).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
}

const make = (name, options) =>
  NETWORKS[name]({ latentSize: 16, batchNorm: false, spectralNorm: false, ...options });

/** A network as a function of its input, its tensors made on the backend that is in use. */
function applied(network) {
  const [params, buffers] = [tensors(network.params), tensors(network.buffers)];
  return (x) => network.apply(params, buffers, x, { training: false }).y;
}

const network = (system) => {
  const { network: name, latentSize, side } = system;
  return make(name, { latentSize, ...(side && { image: imageOf(system), range: [-1, 1] }) })
    .generator;
};

/** The generator of a system as TF.js runs it. */
export const functionOf = (system) => applied(network(system));

const file = (fn, shape, info) =>
  withModelInfo(
    trace(({ x }) => ({ y: fn(x) }), { x: spec(shape) }, { name: info.name }).toBytes(),
    { version: 1, name: 'bench', input: 'x', output: 'y', image: IMAGE, ...info },
  );

/** The generator of a system as a model file, whose input is `x`. */
export function generatorFile(system) {
  const { latentSize: size, parameters } = system;
  const found = Object.values(network(system).params).reduce(
    (n, { shape }) => n + tf.util.sizeFromShape(shape),
    0,
  );
  if (found !== parameters)
    throw new Error(`${system.network} has ${found} parameters, not ${parameters}`);
  return file((x) => applied(network(system))(x), ['N', size], {
    kind: 'generator',
    image: imageOf(system),
    latent: { size, distribution: 'normal' },
  });
}

/** System 1's judges of fragments, as they are published. */
export const JUDGES = {
  'gpn-mnist': { internal: 2, frame: 1 },
  'gpn-mnist-large': { internal: 20, frame: 2 },
};

/** A judge as a model file: `dense` for images of any size, else for fragments alone. */
export function judgeFile(name, dense) {
  const fragment = JUDGES[name];
  const side = fragment.internal + 2 * fragment.frame;
  const { discriminator } = make(name, { fragment, dense });
  const real = (x) => {
    const [no, yes] = tf.split(applied(discriminator)(x), 2, 3);
    return tf.sub(yes, no);
  };
  return file(real, dense ? ['N', 'H', 'W', 1] : ['N', side, side, 1], {
    kind: 'discriminator',
    image: { ...IMAGE, height: side, width: side },
    scores: 'logit',
    fragment,
  });
}

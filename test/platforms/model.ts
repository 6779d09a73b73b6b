/** The networks of system 5 with weights that vary, exported and certified on this CPU. */
import { spec, trace } from '@gpn/export';
import { initialize, NETWORKS, type Network } from '@gpn/models';
import { type ModelInfo, makeCertificate, openSession, stream, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';

const IMAGE: ModelInfo['image'] = {
  height: 28,
  width: 28,
  channels: 1,
  range: [0, 1],
  layout: 'NHWC',
  color: 'gray',
};

const INFOS = {
  generator: {
    version: 1,
    name: 'platform-generator',
    kind: 'generator',
    input: 'latents',
    output: 'images',
    image: IMAGE,
    latent: { size: 16, distribution: 'normal' },
  },
  discriminator: {
    version: 1,
    name: 'platform-discriminator',
    kind: 'discriminator',
    input: 'images',
    output: 'scores',
    image: IMAGE,
    scores: 'logit',
  },
} as const satisfies Record<string, ModelInfo>;

/** Weights as a seed has them; twice as large as Kaiming's, so that pixels reach both ends. */
function tensors(specs: Network['params'], name: string): Record<string, tf.Tensor> {
  const random = stream(5, name);
  const start = initialize(specs, 'kaiming', (count) => random.normal(count).map((x) => 2 * x));
  return Object.fromEntries(
    Object.entries(start).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
}

export async function exported(role: keyof typeof INFOS): Promise<Uint8Array> {
  const make = NETWORKS['dcgan-mnist'];
  if (make === undefined) throw new Error('There is no dcgan-mnist.');
  const network = make({ latentSize: 16, batchNorm: true, spectralNorm: false })[role];
  const info = INFOS[role];
  const { toBytes } = trace(
    (inputs) => {
      const params = tensors(network.params, `${role}/params`);
      const buffers = tensors(network.buffers, `${role}/buffers`);
      return {
        [info.output]: network.apply(params, buffers, inputs[info.input] as tf.Tensor, {
          training: false,
        }).y,
      };
    },
    { [info.input]: spec(['N', ...network.inputShape]) },
    { name: info.name },
  );
  const session = await openSession(toBytes(), { device: 'cpu' });
  const certificate = await makeCertificate(session, info);
  await session.dispose();
  return withModelInfo(toBytes(), { ...info, certificate });
}

/** Networks with weights that vary, exported and certified on this CPU. */
import { spec, trace } from '@gpn/export';
import { initialize, NETWORKS, type Network, type NetworkOptions } from '@gpn/models';
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

/**
 * Weights as a seed has them; twice as large as Kaiming's, so that pixels reach both ends. Those that
 * have a size of their own keep it.
 */
function tensors(specs: Network['params'], name: string): Record<string, tf.Tensor> {
  const random = stream(5, name);
  const sized = Object.values(specs).some(({ start }) => start.kind === 'normal');
  const scale = sized ? 1 : 2;
  const start = initialize(specs, 'kaiming', (count) => random.normal(count).map((x) => scale * x));
  return Object.fromEntries(
    Object.entries(start).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
}

/** A network of the recipe dcgan-mnist, as a model file. */
export function exported(role: keyof typeof INFOS): Promise<Uint8Array> {
  const network = networks('dcgan-mnist', { batchNorm: true })[role];
  return file(network, INFOS[role], ['N', ...network.inputShape], (y) => y);
}

/** A generator of `resnet` for pictures with alpha, whose blocks have two groups or more and last weights other than zeros. */
export function residual(): Promise<Uint8Array> {
  const image = { height: 16, width: 16, channels: 4 };
  const { generator } = networks('resnet', { image, baseChannels: 16, range: [-1, 1] });
  const params = Object.fromEntries(
    Object.entries(generator.params).map(([name, { shape, start }]) => [
      name,
      { shape, start: start.kind === 'zeros' ? ({ kind: 'normal', std: 0.1 } as const) : start },
    ]),
  );
  const info = { ...INFOS.generator, name: 'platform-residual' };
  return file(
    { ...generator, params },
    { ...info, image: { ...IMAGE, ...image, range: [-1, 1], color: 'rgba' } },
    ['N', ...generator.inputShape],
    (y) => y,
  );
}

/** The fragment discriminator of the recipe gpn-mnist, for images of any size; its score is the logit of "real". */
export function fragmentJudge(
  internal: number,
  frame: number,
  scales?: number[],
): Promise<Uint8Array> {
  const fragment = { internal, frame, ...(scales && { scales }) };
  const side = internal + 2 * frame;
  const { discriminator } = networks('gpn-mnist', { fragment });
  return file(
    discriminator,
    {
      ...INFOS.discriminator,
      ...(scales && { version: 2 }),
      name: 'platform-fragments',
      image: { ...IMAGE, height: side, width: side },
      fragment,
    },
    ['N', 'H', 'W', 1],
    (y) => {
      const [fake, real] = tf.split(y, 2, 3) as [tf.Tensor, tf.Tensor];
      return tf.sub(real, fake);
    },
  );
}

function networks(name: string, options: Partial<NetworkOptions>) {
  const make = NETWORKS[name];
  if (make === undefined) throw new Error(`There is no ${name}.`);
  return make({ latentSize: 16, batchNorm: false, spectralNorm: false, ...options });
}

async function file(
  network: Network,
  info: ModelInfo,
  shape: (number | string)[],
  read: (y: tf.Tensor) => tf.Tensor,
): Promise<Uint8Array> {
  const { toBytes } = trace(
    (inputs) => {
      const params = tensors(network.params, `${info.name}/params`);
      const buffers = tensors(network.buffers, `${info.name}/buffers`);
      const pass = { training: false };
      const { y } = network.apply(params, buffers, inputs[info.input] as tf.Tensor, pass);
      return { [info.output]: read(y) };
    },
    { [info.input]: spec(shape) },
    { name: info.name },
  );
  const session = await openSession(toBytes(), { device: 'cpu' });
  const certificate = await makeCertificate(session, info);
  await session.dispose();
  return withModelInfo(toBytes(), { ...info, certificate });
}

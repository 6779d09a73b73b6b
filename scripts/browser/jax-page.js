/**
 * In a page: the step of `dcgan-mnist` written with jax-js, with the same first weights and feeds. Its
 * arrays count their references: a function takes its arguments over, and `.ref` keeps one.
 */

import { stream } from '@gpn/runtime';
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
} from '@jax-js/jax';
import { ganOf } from '../../training/dist/recipe/gan.js';
import { startingState } from '../../training/dist/steps/state.js';

const BATCH = 64;
const SLOPE = 0.2;
const [BETA1, BETA2, EPSILON] = [0.5, 0.99, 1e-8];
const [RATE_G, RATE_D] = [2e-4, 5e-4];

/** [kernel, stride, padding] of each layer. */
const DECONVS = [
  [4, 1, 0],
  [4, 2, 1],
  [2, 2, 1],
  [2, 2, 0],
];
const CONVS = [
  [4, 2, 1],
  [2, 2, 1],
  [4, 2, 1],
  [4, 1, 0],
];

const same = (p) => [
  [p, p],
  [p, p],
];

/** By the batch, over all axes but the channels, [N, C, H, W]. */
function batchNorm(x, scale, offset) {
  const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  const shape = [1, scale.shape[0], 1, 1];
  const normal = centred.div(np.sqrt(variance.add(1e-5)));
  return normal.mul(scale.reshape(shape)).add(offset.reshape(shape));
}

/** Latents to images, [N, 1, 28, 28]. */
function generate(params, latents) {
  let x = latents.reshape([BATCH, -1, 1, 1]);
  DECONVS.forEach(([k, s, p], i) => {
    const [name, norm] = [`deconv${i + 1}`, `norm${i + 1}`];
    x = lax.convGeneralDilated(x, params[`${name}/kernel`].ref, [1, 1], same(k - 1 - p), {
      lhsDilation: [s, s],
    });
    const scale = params[`${norm}/scale`];
    x = scale ? nn.relu(batchNorm(x, scale.ref, params[`${norm}/offset`].ref)) : nn.sigmoid(x);
  });
  return x;
}

const unit = (x) => x.ref.div(np.sqrt(np.sum(np.square(x))).add(1e-12));

/** A step of power iteration. @returns the kernel divided by its largest singular value, and u */
function spectral(kernel, u) {
  const columns = kernel.shape[0];
  const matrix = kernel.ref.reshape([columns, -1]); // [out, in · k · k]
  const still = lax.stopGradient(matrix.ref);
  const v = unit(np.matmul(np.transpose(still.ref), u)); // [in · k · k, 1]
  const next = unit(np.matmul(still, v.ref));
  const sigma = np.sum(np.matmul(matrix, v).mul(next.ref));
  return [kernel.div(sigma), next];
}

/** Images to logits, [N]. */
function discriminate(params, us, images) {
  let x = images;
  const next = {};
  CONVS.forEach(([, s, p], i) => {
    const name = `conv${i + 1}`;
    const [kernel, u] = spectral(params[`${name}/kernel`].ref, us[name].ref);
    next[name] = u;
    x = lax.convGeneralDilated(x, kernel, [s, s], same(p));
    const norm = params[`norm${i}/scale`] && i > 0 ? `norm${i}` : undefined;
    if (norm) x = batchNorm(x, params[`${norm}/scale`].ref, params[`${norm}/offset`].ref);
    if (i < CONVS.length - 1) x = nn.leakyRelu(x, SLOPE);
  });
  return [x.reshape([BATCH]), next];
}

const crossEntropy = (logits, label) => np.mean(nn.softplus(logits.ref).sub(logits.mul(label)));

/** Adam, as the recipe has it. */
function update({ params, m, v, count }, grads, rate) {
  const n = count.add(1);
  const correction = (beta) => np.subtract(1, np.power(beta, n.ref));
  const [first, root] = [correction(BETA1), np.sqrt(correction(BETA2))];
  const next = { params: {}, m: {}, v: {}, count: n };
  for (const name of Object.keys(params)) {
    const g = grads[name];
    next.m[name] = m[name].mul(BETA1).add(g.ref.mul(1 - BETA1));
    next.v[name] = v[name].mul(BETA2).add(np.square(g).mul(1 - BETA2));
    const direction = next.m[name].ref.div(np.sqrt(next.v[name].ref).add(root.ref.mul(EPSILON)));
    next.params[name] = params[name].sub(direction.mul(root.ref.mul(rate).div(first.ref)));
  }
  return next;
}

function step({ g, d, us }, pixels, latents) {
  const real = pixels.mul(1 / 255);
  const made = lax.stopGradient(generate(g.params, latents.ref));
  const [[discriminator, seen], ofD] = valueAndGrad(
    (params) => {
      const [onReal, after] = discriminate(params, us, real.ref);
      const [onMade, last] = discriminate(params, after, made.ref);
      return [crossEntropy(onReal, 0.9).add(crossEntropy(onMade, 0)), last];
    },
    { hasAux: true },
  )(d.params);
  const nextD = update(d, ofD, RATE_D);
  const [[generator, last], ofG] = valueAndGrad(
    (params) => {
      const [onMade, after] = discriminate(nextD.params, seen, generate(params, latents.ref));
      return [crossEntropy(onMade, 1), after];
    },
    { hasAux: true },
  )(g.params);
  return { state: { g: update(g, ofG, RATE_G), d: nextD, us: last }, discriminator, generator };
}

const each = (record, f) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

/** Our tensors as those that jax-js's layouts want. */
function arrayOf({ data, shape }, name) {
  const x = np.array(data).reshape([...shape]);
  if (name.startsWith('deconv')) return np.flip(x, [0, 1]).transpose([2, 3, 0, 1]);
  return name.endsWith('kernel') ? x.transpose([3, 2, 0, 1]) : x;
}

const below = (state, path) =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, tensor]) =>
      name.startsWith(`${path}/`) ? [[name.slice(path.length + 1), tensor]] : [],
    ),
  );

/** Milliseconds of each of some steps, after one that is not counted. */
globalThis.jax = async ({ recipe, backend, steps, images }) => {
  const devices = await init(backend);
  if (!devices.includes(backend)) throw new Error(`jax-js has no ${backend} here`);
  defaultDevice(backend);
  const { height, width, channels } = recipe.data;
  const bytes = new Uint8Array(await (await fetch(images)).arrayBuffer());
  const count = bytes.length / (height * width * channels);
  const dataset = { name: 'images', hash: '', count, height, width, channels, images: bytes };
  const gan = ganOf(recipe);
  const { feeds } = gan.phases[0].data(dataset);
  const random = stream(recipe.training.seed, 'initialization');
  const start = startingState(gan.state, recipe.model.initialization, random);
  const network = (name) => {
    const params = each(below(start, `${name}/params`), arrayOf);
    const zeros = () => each(params, ({ shape }) => np.zeros(shape));
    return { params, m: zeros(), v: zeros(), count: np.array(0) };
  };
  let state = {
    g: network('generator'),
    d: network('discriminator'),
    us: Object.fromEntries(
      CONVS.map((_, i) => {
        const { data, shape } = start[`discriminator/buffers/conv${i + 1}/u`];
        return [`conv${i + 1}`, np.array(data).reshape([...shape])];
      }),
    ),
  };
  const traced = jit(step);
  const times = [];
  let losses;
  for (let k = 0; k <= steps; k++) {
    const from = performance.now();
    const fed = feeds(k);
    const pixels = np
      .array(Float32Array.from(fed['batch/images'].data))
      .reshape([...[BATCH, channels, height, width]]);
    const latents = np.array(fed['noise/latents'].data).reshape([BATCH, recipe.model.latent.size]);
    const next = traced(state, pixels, latents);
    state = next.state;
    await blockUntilReady(state);
    const [discriminator] = await next.discriminator.data();
    const [generator] = await next.generator.data();
    losses = { discriminator, generator };
    if (k > 0) times.push(performance.now() - from);
  }
  return { times, losses };
};

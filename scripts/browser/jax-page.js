/** In a page: the same step of `dcgan-mnist` in jax-js, compiled as a whole. */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { givenOf } from './given.js';

// jax-js counts references: what is given to a function is used up, and `x.ref` is x for one use more.

const RECIPE = 'dcgan-mnist';
/** Over images, rows and columns: images are [N, height, width, channels]. */
const PIXELS = [0, 1, 2];

/** x / |x| */
const unit = (x) => x.ref.div(np.sqrt(np.sum(np.square(x))).add(1e-12));

// Convolutions are products of matrices, because those of jax-js itself take many times as long. Pixel
// stride · a + b of an axis is the b-th of part a.

/** For each pixel of a kernel of k × k: how many parts down and right it lies, and which of a part's it is. */
const places = (k, stride) =>
  Array.from({ length: k * k }, (_, at) => {
    const [i, j] = [Math.floor(at / k), at % k];
    return {
      ...{ down: Math.floor(i / stride), row: i % stride },
      ...{ right: Math.floor(j / stride), column: j % stride },
    };
  });

/** What a kernel sees at each place of images [n, h, w, c]: [n, rows, columns, k · k · c]. */
function seen(x, k, stride, pad) {
  const edge = [pad, pad];
  const padded = np.pad(x, [[0, 0], edge, edge, [0, 0]]);
  const [n, h, w, c] = padded.shape;
  const [down, right] = [h / stride, w / stride];
  const parts = padded.reshape([n, down, stride, right, stride, c]);
  const more = k / stride - 1;
  const from = (start, length) => [start, start + length - more];
  const all = places(k, stride).map((place) =>
    parts.ref.slice(
      ...[[], from(place.down, down), place.row],
      ...[from(place.right, right), place.column, []],
    ),
  );
  parts.dispose();
  return np.concatenate(all, 3);
}

/** The reverse: adds up [n, h, w, k · k · c], what is given to a kernel's pixels at each place, to images. */
function added(cells, k, stride, pad) {
  const [n, h, w, size] = cells.shape;
  const parts = cells.reshape([n, h, w, k * k, size / k / k]);
  const more = k / stride - 1;
  const around = (start) => [start, more - start];
  const sums = [];
  places(k, stride).forEach(({ down, row, right, column }, at) => {
    const part = parts.ref.slice([], [], [], at, []);
    const moved = np.pad(part, [[0, 0], around(down), around(right), [0, 0]]);
    const to = row * stride + column;
    sums[to] = sums[to] ? sums[to].add(moved) : moved;
  });
  parts.dispose();
  const [height, width] = [(h + more) * stride, (w + more) * stride];
  const whole = np.stack(sums, 3).reshape([n, h + more, w + more, stride, stride, -1]);
  const images = np.transpose(whole, [0, 1, 3, 2, 4, 5]).reshape([n, height, width, -1]);
  return images.slice([], [pad, height - pad], [pad, width - pad], []);
}

/** The product of the last axis and a matrix. */
function times(x, matrix) {
  const shape = [...x.shape.slice(0, -1), matrix.shape[1]];
  return np.matmul(x.reshape([-1, matrix.shape[0]]), matrix).reshape(shape);
}

/** Each layer is a function of its tensors, which are called as in the state, and of what goes into it. */
const conv = (name, k, stride, pad) => ({
  [name]: ({ kernel, u: before }, x) => {
    const matrix = kernel.reshape([-1, kernel.shape[3]]);
    const fixed = lax.stopGradient(matrix.ref);
    const v = unit(np.matmul(fixed.ref, before));
    const u = unit(np.matmul(np.transpose(fixed), v.ref));
    const sigma = np.sum(np.matmul(np.transpose(v), matrix.ref).mul(np.transpose(u.ref)));
    return { y: times(seen(x, k, stride, pad), matrix.div(sigma)), buffers: { u } };
  },
});

const deconv = (name, k, stride, pad) => ({
  [name]: ({ kernel }, x) => {
    const matrix = np.transpose(kernel.reshape([-1, kernel.shape[3]]));
    return { y: added(times(x, matrix), k, stride, pad), buffers: {} };
  },
});

const norm = (name) => ({
  [name]: ({ scale, offset, mean, variance }, x) => {
    const count = x.size / x.shape[3];
    const now = np.mean(x.ref, PIXELS, { keepdims: true });
    const centred = x.sub(now.ref);
    const spread = np.mean(np.square(centred.ref), PIXELS, { keepdims: true });
    const y = centred.mul(scale.div(np.sqrt(spread.ref.add(1e-5)))).add(offset);
    const moved = (running, by) => running.mul(0.9).add(lax.stopGradient(by).mul(0.1));
    const unbiased = spread.mul(count / (count - 1));
    return { y, buffers: { mean: moved(mean, now), variance: moved(variance, unbiased) } };
  },
});

const activation = (name, f) => ({ [name]: (_, x) => ({ y: f(x), buffers: {} }) });
const leakyRelu = (name) => activation(name, (x) => nn.leakyRelu(x, 0.2));

const GENERATOR = {
  ...{ ...deconv('deconv1', 4, 1, 0), ...norm('norm1'), ...activation('relu1', nn.relu) }, // 4×4
  ...{ ...deconv('deconv2', 4, 2, 1), ...norm('norm2'), ...activation('relu2', nn.relu) }, // 8×8
  ...{ ...deconv('deconv3', 2, 2, 1), ...norm('norm3'), ...activation('relu3', nn.relu) }, // 14×14
  ...{ ...deconv('deconv4', 2, 2, 0), ...activation('sigmoid', nn.sigmoid) }, //              28×28
};

const DISCRIMINATOR = {
  ...{ ...conv('conv1', 4, 2, 1), ...leakyRelu('leakyRelu1') }, //                            14×14
  ...{ ...conv('conv2', 2, 2, 1), ...norm('norm1'), ...leakyRelu('leakyRelu2') }, //          8×8
  ...{ ...conv('conv3', 4, 2, 1), ...norm('norm2'), ...leakyRelu('leakyRelu3') }, //          4×4
  ...conv('conv4', 4, 1, 0), //                                                               1
};

/** Applies a network; its tensors are by layer. */
function apply(layers, params, buffers, x) {
  const after = {};
  let y = x;
  for (const [name, layer] of Object.entries(layers)) {
    const given = layer({ ...params[name], ...buffers[name] }, y);
    y = given.y;
    after[name] = given.buffers;
  }
  return { y, buffers: after };
}

const crossEntropy = (logits, label) => np.mean(softplus(logits.ref).sub(logits.mul(label)));
/** log(1 + exp(x)); jax-js's own overflows. */
const softplus = (x) => nn.relu(x.ref).add(np.log1p(np.exp(np.negative(np.abs(x)))));

/** Adam's update of a network. */
function learn({ params, moments, count: before }, grads, rate, { beta1, beta2 }) {
  const count = before.add(1);
  const correction = (beta) => np.subtract(1, np.exp(count.ref.mul(Math.log(beta))));
  const root = np.sqrt(correction(beta2));
  const scaled = rate.mul(root.ref).div(correction(beta1));
  const epsilon = root.mul(1e-8);
  const mix = (beta) => (old, now) => old.mul(beta).add(now.mul(1 - beta));
  const m = tree.map(mix(beta1), moments.m, tree.ref(grads));
  const v = tree.map(mix(beta2), moments.v, tree.map(np.square, grads));
  const move = (p, a, b) => p.sub(a.div(np.sqrt(b).add(epsilon.ref)).mul(scaled.ref));
  const next = tree.map(move, params, tree.ref(m), tree.ref(v));
  tree.dispose([scaled, epsilon]);
  return { params: next, moments: { m, v }, count };
}

/** The step: (state, batch, noise, rates) → {state, metrics}, as in training/src/steps/adversarial.ts. */
const stepOf = ({ optimizer, label_smoothing: smoothing }) =>
  jit(({ state: { generator: g, discriminator: d }, images, latents, rates }) => {
    const judge = (params, buffers, x) => apply(DISCRIMINATOR, params, buffers, x);
    const made = apply(GENERATOR, tree.ref(g.params), tree.ref(g.buffers), latents.ref);
    tree.dispose(made.buffers);
    const [[onBoth, afterBoth], slopes] = valueAndGrad(
      (params, buffers, real, fake) => {
        const onReal = judge(tree.ref(params), buffers, real);
        const onFake = judge(params, onReal.buffers, fake);
        const loss = crossEntropy(onReal.y, 1 - smoothing).add(crossEntropy(onFake.y, 0));
        return [loss, onFake.buffers];
      },
      { hasAux: true },
    )(tree.ref(d.params), d.buffers, images.mul(1 / 255), made.y);
    const learnt = learn(d, slopes, rates.discriminator, optimizer);
    const [[onMade, after], grads] = valueAndGrad(
      (params, buffers, judged, judgedBuffers) => {
        const drawn = apply(GENERATOR, params, buffers, latents);
        const scored = judge(judged, judgedBuffers, drawn.y);
        return [crossEntropy(scored.y, 1), [drawn.buffers, scored.buffers]];
      },
      { hasAux: true },
    )(tree.ref(g.params), g.buffers, tree.ref(learnt.params), afterBoth);
    const [generatorBuffers, discriminatorBuffers] = after;
    return {
      state: {
        generator: { ...learn(g, grads, rates.generator, optimizer), buffers: generatorBuffers },
        discriminator: { ...learnt, buffers: discriminatorBuffers },
      },
      losses: { generator: onMade, discriminator: onBoth },
    };
  });

const array = ({ data }, shape) => np.array(Float32Array.from(data)).reshape(shape);

const mapRoles = (f) => ({ generator: f('generator'), discriminator: f('discriminator') });

/** The tensors below a path, by layer. The vectors v of power iteration are not read, and left out. */
function below(state, path) {
  const layers = {};
  for (const [name, tensor] of Object.entries(state)) {
    if (!name.startsWith(`${path}/`) || name.endsWith('/v')) continue;
    const [layer, part] = name.slice(path.length + 1).split('/');
    layers[layer] = { ...layers[layer], [part]: array(tensor, tensor.shape) };
  }
  return layers;
}

function trainee(state, role) {
  const params = below(state, `${role}/params`);
  const zeros = () => tree.map((p) => np.zeros(p.shape), params);
  const moments = { m: zeros(), v: zeros() };
  return { params, buffers: below(state, `${role}/buffers`), moments, count: np.zeros([]) };
}

/** Milliseconds of each of some steps, after one that is not counted, and the last losses. */
globalThis.jaxjs = async ({ recipe, device, threads, steps, images }) => {
  if (recipe.name !== RECIPE) throw new Error(`only ${RECIPE} is written in jax-js here`);
  // It takes as many threads as the machine has processors, if the page is isolated.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads });
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
  const { feeds, start } = await givenOf(recipe, images);
  const { height, width, channels } = recipe.data;
  const step = stepOf(recipe.training);
  let state = mapRoles((role) => trainee(start, role));
  const times = [];
  let losses;
  for (let k = 0; k <= steps; k++) {
    const from = performance.now();
    const fed = feeds(k);
    const given = step({
      state,
      images: array(fed['batch/images'], [-1, height, width, channels]),
      latents: array(fed['noise/latents'], [-1, 1, 1, recipe.model.latent.size]),
      rates: mapRoles((role) => array(fed[`rates/${role}`], [])),
    });
    state = given.state;
    const read = async (role) => (await given.losses[role].data())[0];
    losses = { generator: await read('generator'), discriminator: await read('discriminator') };
    if (k > 0) times.push(performance.now() - from);
    await globalThis.stepped(); // the page may be given up in the midst of the next
  }
  return { times, losses };
};

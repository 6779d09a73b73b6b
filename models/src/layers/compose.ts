/** Layers that are made of layers. */
import * as tf from '@tensorflow/tfjs-core';
import { type Layer, type LayerMaker, prefixed, sequential, under } from '../network.js';

/** Several layers with the same input; the output is their vectors, concatenated. */
export const branches = (of: Readonly<Record<string, LayerMaker>>): LayerMaker => ({
  kind: 'branches',
  build: (inputShape) => {
    const built = Object.entries(of).map(([name, maker]) => ({
      name,
      layer: maker.build(inputShape),
    }));
    const named = <T>(pick: (layer: Layer) => Readonly<Record<string, T>>) =>
      Object.assign({}, ...built.map(({ name, layer }) => prefixed(name, pick(layer)))) as Readonly<
        Record<string, T>
      >;
    return {
      outputShape: [built.reduce((sum, { layer }) => sum + (layer.outputShape.at(-1) ?? 0), 0)],
      params: named((layer) => layer.params),
      buffers: named((layer) => layer.buffers),
      flops: built.flatMap(({ layer }) => layer.flops ?? []),
      apply(params, buffers, x, pass) {
        const after: Record<string, tf.Tensor> = {};
        const outputs = built.map(({ name, layer }) => {
          const applied = layer.apply(under(name, params), under(name, buffers), x, pass);
          Object.assign(after, prefixed(name, applied.buffers));
          return tf.reshape(applied.y, [x.shape[0] as number, applied.y.shape.at(-1) as number]);
        });
        return { y: tf.concat(outputs, 1), buffers: after };
      },
    };
  },
});

/** Layers in sequence as one, whose names begin with `kind` and its number. */
const chain = (makers: readonly LayerMaker[], inputShape: readonly number[]): Layer => {
  const { params, buffers, conditions, noise, flops, outputShape, apply } = sequential(
    inputShape,
    makers,
  );
  if (Object.keys(noise).length > 0) throw new Error('a layer within others cannot have noise');
  return {
    ...{ params, buffers, conditions, flops, outputShape },
    apply: (own, state, x, { noise: _, ...pass }) => apply(own, state, x, pass),
  };
};

/** x + f(x), where f is a sequence of layers that keeps the shape (He et al. 2016). */
export const residual = (...makers: readonly LayerMaker[]): LayerMaker => ({
  kind: 'residual',
  build: (inputShape) => {
    const layer = chain(makers, inputShape);
    if (`${layer.outputShape}` !== `${inputShape}`) {
      throw new Error(`a residual turns [${inputShape}] into [${layer.outputShape}]`);
    }
    return {
      ...layer,
      apply(params, buffers, x, pass) {
        const { y, buffers: after } = layer.apply(params, buffers, x, pass);
        return { y: tf.add(x, y), buffers: after };
      },
    };
  },
});

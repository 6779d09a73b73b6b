/**
 * For `--layers`: what the networks of @upscalerjs/esrgan-thick have besides TF.js's layers. A feature is
 * scaled by `beta`, 0.2 in the package; and channels become pixels, as many times as the name says.
 */
export default (tf) => {
  const { Layer } = tf.layers;

  class MultiplyBeta extends Layer {
    static className = 'MultiplyBeta';

    constructor(config) {
      super(config);
      this.beta = config.beta ?? 0.2;
    }

    call(inputs) {
      return tf.mul([inputs].flat()[0], this.beta);
    }
  }

  const pixelShuffle = (times) =>
    class extends Layer {
      static className = `PixelShuffle${times}x`;

      computeOutputShape([batch, height, width, channels]) {
        return [batch, height && height * times, width && width * times, channels / times ** 2];
      }

      call(inputs) {
        return tf.depthToSpace([inputs].flat()[0], times, 'NHWC');
      }
    };

  return [MultiplyBeta, ...[2, 3, 4, 8].map(pixelShuffle)];
};

import * as tf from '@tensorflow/tfjs-core';
import { type Cases, of, uniform } from './case.js';

const wave = uniform([3, 12]);
const parts = (x: tf.Tensor): tf.Tensor[] => [tf.real(x), tf.imag(x)];

export const SPECTRA: Cases = {
  'Complex, FFT, Real and Imag': of(
    (re: tf.Tensor, im: tf.Tensor) => parts(tf.fft(tf.complex(re, im))),
    wave,
    uniform([3, 12], -1, 3),
  ),
  IFFT: of(
    (re: tf.Tensor, im: tf.Tensor) => parts(tf.ifft(tf.complex(re, im))),
    uniform([2, 3, 8]),
    uniform([2, 3, 8], -1, 3),
  ),
  'ComplexAbs of the spectrum of real numbers': of(
    (x: tf.Tensor) => tf.abs(tf.spectral.rfft(x)),
    wave,
  ),
  'the spectrum of real numbers, shortened': of(
    (x: tf.Tensor) => parts(tf.spectral.rfft(x, 9)),
    wave,
  ),
  'real numbers of a spectrum': of((x: tf.Tensor) => tf.spectral.irfft(tf.spectral.rfft(x)), wave),
  'spectra over time': of(
    (x: tf.Tensor) => tf.abs(tf.signal.stft(tf.reshape(x, [36]) as tf.Tensor1D, 8, 4)),
    wave,
  ),
};

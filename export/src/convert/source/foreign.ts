/** Files that people take for TF.js models, and what makes a model.json of them. */
import { ExportError } from '../../error.js';

/** By their ends. */
const FOREIGN: readonly (readonly [end: RegExp, what: string, remedy: string])[] = [
  [
    /(^|[/\\])tensorflowjs_model\.pb$/,
    'a model of TensorFlow.js before 1.0',
    'convert the original again with a tensorflowjs_converter of today',
  ],
  [
    /\.pb$/i,
    'a graph of TensorFlow',
    'convert it with tensorflowjs_converter (pip install tensorflowjs)',
  ],
  [
    /\.(h5|hdf5|keras)$/i,
    'a Keras file',
    'convert it with tensorflowjs_converter --input_format keras or keras_keras (pip install tensorflowjs)',
  ],
  [/\.tflite$/i, 'a TensorFlow Lite file', 'convert the model that it was made of'],
  [/\.onnx$/i, 'an ONNX file already', 'take what it was made of'],
  [/\.(zip|tar|tgz|gz|7z|rar)$/i, 'an archive', 'unpack it'],
  [
    /\.(pt|pth|ckpt|safetensors)$/i,
    'a file of weights without a network',
    'take the model that TF.js saved',
  ],
  [/\.bin$/i, 'a file of weights', 'take the model.json that names it'],
];

/** Names of files that such a model has in its folder. */
export const INSIDE = ['tensorflowjs_model.pb', 'saved_model.pb'];

export const isForeign = (path: string): boolean => FOREIGN.some(([end]) => end.test(path));

/** @throws ExportError that says what the file is, if its name tells that it is no model.json */
export function refuseForeign(path: string): void {
  const foreign = FOREIGN.find(([end]) => end.test(path));
  if (!foreign) return;
  const [, what, remedy] = foreign;
  throw new ExportError(
    `${path} is ${what}, which cannot be read: ${remedy}, and give the model.json that comes of it.`,
  );
}

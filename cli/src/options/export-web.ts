import { wholeNumber } from './declare/parsers.js';
import { declare, flag, parsed, required, text, withDefault } from './declare/spec.js';

/** The port of `--serve` if it names none. */
export const PORT = 8080;

export const EXPORT_WEB = declare({
  argument: ['<file|name...>', 'ONNX files, or names of bundled models'],
  options: {
    output: required(text('-o, --output <dir>', 'the folder to make')),
    title: withDefault(
      text('--title <text>', 'the title of the page'),
      'Generative models in your browser',
    ),
    webgpu: flag('--webgpu', 'run on GPUs too; the folder becomes 27 MB larger'),
    serve: parsed<number | true>(
      '--serve [port]',
      `then serve the folder to this machine (default port: ${PORT})`,
      wholeNumber(1, 65_535),
    ),
  },
  examples: [
    'export-web dcgan-mnist.onnx -o site',
    'export-web generator.onnx discriminator.onnx -o site --serve',
  ],
});

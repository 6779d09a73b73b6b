/**
 * Which specs of tfjs-core's suite say something about lowering TF.js to ONNX. It is decided by the
 * spec's file and by what the spec did on TF.js's own cpu backend (manifest.tsv), never by its name,
 * so no rule can be bent to hide a spec that fails.
 */
const SCOPE = /^(ops\/|optimizers\/|gradients_test$|tensor_test$|variable_test$)/;

/** Whether a file of specs is about operations, gradients or optimisers. */
export const inScope = (file) => SCOPE.test(file);

/** Groups of kernels that ONNX, or a traced graph, has no form for. */
const OUTSIDE = {
  'registers a kernel of its own': ['MyKernel', 'Kernel-complex'],
  'complex numbers': ['Complex', 'Real', 'Imag', 'ComplexAbs', 'FFT', 'IFFT'],
  strings: ['StringNGrams', 'StringSplit', 'StringToHashBucketFast', 'StaticRegexReplace'],
  // TF.js wants a result's shape when the kernel is called, before there are values.
  'shapes that depend on values': [
    'NonMaxSuppressionV3',
    'NonMaxSuppressionV5',
    'Unique',
    'Where',
    'SparseFillEmptyRows',
    'SparseReshape',
    'SparseSegmentMean',
    'SparseSegmentSum',
    'RaggedGather',
    'RaggedRange',
    'RaggedTensorToTensor',
  ],
  "a browser's pixels": ['FromPixels', 'Draw'],
};

/** The manifest's flags: what a spec did on the cpu backend. */
const FLAGS = {
  f: 'fails on the cpu backend',
  v: 'passes without any kernel',
  c: 'complex numbers',
  s: 'strings',
  b: "looks into the backend's bookkeeping",
  o: 'switches backends',
};

/** @returns why a spec is left out, or undefined if it applies */
export function leftOut(file, behaviour) {
  if (!inScope(file)) return 'not about operations, gradients or optimisers';
  if (!behaviour) return 'not in the manifest';
  const { flags, kernels } = behaviour;
  if (kernels.length === 0) return 'runs no kernel';
  for (const [reason, names] of Object.entries(OUTSIDE)) {
    if (kernels.some((k) => names.includes(k))) return reason;
  }
  return FLAGS[flags[0]];
}

/**
 * Reads the manifest: the version of tfjs-core, then `@file` starts a file's specs, and a line is
 * flags, kernels and name.
 * @returns the version, and a map from `file > name` to what the spec did
 */
export function readManifest(text) {
  const specs = new Map();
  const [version, ...lines] = text.split('\n');
  let file = '';
  for (const line of lines) {
    if (line.startsWith('@')) file = line.slice(1);
    else if (line) {
      const [flags, kernels, name] = line.split('\t');
      specs.set(`${file} > ${name}`, { flags, kernels: kernels ? kernels.split(',') : [] });
    }
  }
  return { version, specs };
}

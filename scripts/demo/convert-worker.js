/** What the page "Convert" has done beside it: reading, tracing and comparing a model. */
import { convertModel, describeModel, inspectModel, verifyModel } from '@gpn/export/web';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { env } from '@tensorflow/tfjs-core';
// The site has it, beside the other pages' scripts.
import { openSession } from '../gpn/web/session.js';

// One file for all browsers of today; several threads would need headers that few hosts send.
env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
setWasmPaths(new URL('./', import.meta.url).href);

const TASKS = {
  describe: ({ files }) => describeModel(files),

  async convert({ files, options }, say) {
    say('Tracing what TensorFlow.js does …');
    const converted = await convertModel(files, options);
    try {
      const bytes = converted.model.toBytes();
      // What an engine draws cannot be compared; the rest can, with the draws as inputs.
      const drawn = options.random === 'operator';
      const compared = drawn
        ? await convertModel(files, { ...options, random: 'input' })
        : converted;
      say('Comparing the file with TensorFlow.js …');
      const comparison = await compare(compared);
      const { inputs, outputs, opset } = inspectModel(bytes);
      return { bytes, notes: converted.notes, comparison, inputs, outputs, opset };
    } finally {
      converted.dispose();
    }
  },
};

async function compare(converted) {
  const session = await openSession(converted.model.toBytes(), {
    device: 'wasm',
    worker: false,
    assets: new URL('../ort/', import.meta.url),
    label: 'The exported model',
  });
  try {
    return await verifyModel(converted, (inputs) => session.run(inputs));
  } finally {
    await session.dispose();
  }
}

/** Classes of errors whose message is a sentence for the reader. */
const SENTENCES = ['ExportError', 'UserError'];

addEventListener('message', async ({ data: { task, given } }) => {
  try {
    const result = await TASKS[task](given, (status) => postMessage({ status }));
    postMessage({ result });
  } catch (error) {
    const refused = SENTENCES.includes(error.name);
    postMessage({ error: refused ? error.message : `This is a bug of the page: ${error}.` });
  }
});

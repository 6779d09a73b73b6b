/** The script of the page "Convert". The tracer is loaded, in a worker, with the first model. */
const at = (id) => document.getElementById(id);
const [status, alert, model, options, done] = ['status', 'alert', 'model', 'options', 'done'].map(
  at,
);
const random = at('random');

let worker;
let busy = false;
let files = [];

/** Has the worker do something; what is under way is given up. */
function ask(task, given) {
  if (busy) worker.terminate();
  if (busy || !worker) {
    worker = new Worker(new URL('convert-worker.js', import.meta.url), { type: 'module' });
  }
  busy = true;
  return new Promise((resolve, reject) => {
    const settle = (how, value) => {
      busy = false;
      how(value);
    };
    worker.onerror = () =>
      settle(reject, new Error('The scripts of this page did not load: load it again.'));
    worker.onmessage = ({ data }) => {
      if (data.status) status.textContent = data.status;
      else if (data.error) settle(reject, new Error(data.error));
      else settle(resolve, data.result);
    };
    worker.postMessage({ task, given });
  });
}

/** Shows what is being done, then what came of it, or the sentence that says why nothing did. */
async function during(text, work) {
  alert.hidden = true;
  done.hidden = true;
  status.textContent = text;
  document.body.setAttribute('aria-busy', 'true');
  try {
    await work();
  } catch (error) {
    alert.textContent = error.message;
    alert.hidden = false;
  }
  status.textContent = '';
  document.body.removeAttribute('aria-busy');
}

const element = (tag, text, more = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...more });

const shown = (shape) => (shape ? `[${shape.map((d) => d ?? '?').join(', ')}]` : 'of any shape');

/** A list of names, each with what follows it. */
const listed = (id, rows) =>
  at(id).replaceChildren(
    ...rows.flatMap(([name, text]) => [element('dt', name), element('dd', text)]),
  );

const tensors = (list) => list.map(({ name, shape, dtype }) => [name, `${dtype} ${shown(shape)}`]);

/** Sizes as they are written in the field: the batch stays free, the others have to be given. */
const sizesOf = ({ shape }) => shape.map((d, i) => d ?? (i === 0 ? 'N' : '?')).join('x');

function sizesField(input) {
  const label = element('label', `Sizes of ${input.name}`);
  const field = { value: sizesOf(input), name: input.name, spellcheck: false };
  label.append(element('input', '', { ...field, className: 'sizes' }));
  return label;
}

function describe({ name, kind, inputs, outputs }) {
  at('name').textContent = name;
  at('kind').textContent = `a ${kind} model of TensorFlow.js`;
  listed('inputs', tensors(inputs));
  listed(
    'outputs',
    outputs.map((output) => [output, '']),
  );
  const open = inputs.filter(({ shape }) => shape?.slice(1).includes(null));
  at('sizes').replaceChildren(...open.map(sizesField));
  at('sizes-hint').hidden = open.length === 0;
  at('chosen').placeholder = outputs.join(',');
  at('chosen').value = '';
  model.hidden = false;
  options.hidden = false;
}

/** `a=1, b=true` as values by name. */
const fixedOf = (text) =>
  Object.fromEntries(
    text
      .split(',')
      .filter((part) => part.trim())
      .map((part) => {
        const [, name, word] = /^\s*(.+?)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
        const value = { true: 1, false: 0 }[word] ?? Number(word);
        if (name === undefined || Number.isNaN(value)) {
          throw new Error(
            `"${part.trim()}" cannot be read: write name=value, a number, true or false.`,
          );
        }
        return [name, value];
      }),
  );

function shapeOf({ name, value }) {
  const sizes = value.trim().split(/\s*[x×,]\s*/);
  if (sizes.every((d) => /^[A-Z][A-Z0-9]*$|^[1-9]\d{0,8}$/.test(d))) {
    return [name, sizes.map((d) => (/^\d/.test(d) ? Number(d) : d))];
  }
  throw new Error(
    `The sizes of ${name}, "${value}", cannot be read: write numbers, or capital letters where any size will do, as in Nx224x224x3.`,
  );
}

const given = () => ({
  inputShapes: Object.fromEntries([...document.querySelectorAll('.sizes')].map(shapeOf)),
  fix: fixedOf(at('fix').value),
  float16: at('float16').checked,
  ...(at('chosen').value.trim() && {
    outputs: at('chosen')
      .value.split(',')
      .map((o) => o.trim()),
  }),
  ...(at('opset').value && { opset: Number(at('opset').value) }),
  ...(random.value && { random: random.value }),
});

const sizeOf = ({ length }) =>
  length < 1e6 ? `${(length / 1e3).toFixed(1)} kB` : `${(length / 1e6).toFixed(1)} MB`;

function finish({ bytes, notes, comparison, inputs, outputs, opset }) {
  const { difference, output, batches, unrest } = comparison;
  const by = batches.length > 0 ? ` at batches of ${batches.join(' and ')}` : '';
  at('difference').textContent =
    `Largest difference from TensorFlow.js${by}: ${difference.toExponential(1)} of the largest value, in ${output}.` +
    (unrest === undefined
      ? ''
      : ` Changing the last bit of the inputs changes TensorFlow.js's own result by ${unrest.toExponential(1)}.`);
  at('notes').replaceChildren(...notes.map((note) => element('p', note)));
  listed('inputs', tensors(inputs));
  listed('outputs', tensors(outputs));
  const link = at('download');
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.textContent = `Download model.onnx, ${sizeOf(bytes)}, opset ${opset}`;
  done.hidden = false;
  dispatchEvent(new Event('gpn-load')); // from now on, the site is kept for use offline
}

const take = (chosen) => {
  files = [...chosen];
  model.hidden = true;
  options.hidden = true;
  return during('Reading the model …', async () => describe(await ask('describe', { files })));
};

for (const input of document.querySelectorAll('[type=file]')) {
  input.addEventListener('change', () => take(input.files));
}

options.addEventListener('submit', (event) => {
  event.preventDefault();
  during('Loading the model …', async () =>
    finish(await ask('convert', { files, options: given() })),
  );
});

/** All files of what was dropped, those in folders as well. */
async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A browser lists a folder in parts.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    found.push(...(await Promise.all(part.map(filesIn))).flat());
  }
}

addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  take((await Promise.all(entries.map(filesIn))).flat());
});

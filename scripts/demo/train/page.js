/** The script of the page "Train": it gives the element what to learn from. */
import '@gpn/training/element';

const at = (id) => document.getElementById(id);
const trainer = document.querySelector('gpn-trainer');
const sets = [...document.querySelectorAll('[data-set]')];
const panels = ['drawings', 'pictures'].map(at);

/** Pictures by the set that they belong to; the digits have an address. */
const pictures = {};

function choose(name) {
  for (const button of sets)
    button.setAttribute('aria-pressed', String(button.dataset.set === name));
  for (const panel of panels) panel.hidden = panel.id !== name;
  trainer.pictures = pictures[name];
  trainer.setAttribute('step', `train/${name}.onnx`);
  trainer.setAttribute('data', name === 'digits' ? 'train/digits.png' : '');
  trainer.setAttribute('keep', name);
  history.replaceState(null, '', `#${name}`);
}

for (const button of sets) button.addEventListener('click', () => choose(button.dataset.set));

// Files of the visitor

for (const input of document.querySelectorAll('[type=file]')) {
  input.addEventListener('change', () => {
    const files = [...input.files].filter(({ type }) => type.startsWith('image/'));
    give('pictures', files.length > 0 ? files : [...input.files]);
  });
}

/** Starts on other pictures than before, if there are any. */
function give(name, given) {
  pictures[name] = given.length > 0 ? given : undefined;
  trainer.pictures = pictures[name];
}

// Drawings

const [pad, drawn] = ['pad', 'drawn'].map(at);
const context = pad.getContext('2d', { willReadFrequently: true });
/** Of the pen: MNIST's strokes are as wide, for their size. */
const PEN = 24;
let last;
let touched = false;

function clear() {
  context.fillStyle = '#000';
  context.fillRect(0, 0, pad.width, pad.height);
  touched = false;
}

const placeOf = ({ offsetX, offsetY }) => [
  (offsetX / pad.clientWidth) * pad.width,
  (offsetY / pad.clientHeight) * pad.height,
];

function draw(event) {
  if (!last) return;
  const place = placeOf(event);
  Object.assign(context, { lineWidth: PEN, lineCap: 'round', strokeStyle: '#fff' });
  context.beginPath();
  context.moveTo(...last);
  context.lineTo(...place);
  context.stroke();
  last = place;
  touched = true;
}

pad.addEventListener('pointerdown', (event) => {
  pad.setPointerCapture(event.pointerId);
  last = placeOf(event);
  draw(event);
});
pad.addEventListener('pointermove', draw);
pad.addEventListener('pointerup', () => {
  last = undefined;
});

function add() {
  if (!touched) return;
  const copy = Object.assign(document.createElement('canvas'), {
    width: pad.width,
    height: pad.height,
    title: 'Remove',
  });
  copy.getContext('2d').drawImage(pad, 0, 0);
  copy.addEventListener('click', () => {
    copy.remove();
    offer();
  });
  drawn.append(copy);
  clear();
  offer();
}

/** Gives the element the drawings that there are. */
function offer() {
  const all = [...drawn.children];
  at('count').textContent = all.length === 0 ? '' : `${all.length} drawn`;
  give('drawings', all);
}

at('add').addEventListener('click', add);
at('clear').addEventListener('click', clear);
clear();

const asked = location.hash.slice(1);
if (sets.some(({ dataset }) => dataset.set === asked)) choose(asked);

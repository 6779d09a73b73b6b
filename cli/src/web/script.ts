/** The script of the pages that `export-web` writes: it connects fields to the attributes of the elements. */
export const SCRIPT = `// Once a model is loaded, so that its download does not wait. There is none over plain HTTP.
addEventListener('gpn-load', () => navigator.serviceWorker?.register('sw.js').catch(() => {}), { once: true });

for (const card of document.querySelectorAll('.card')) {
  const element = card.querySelector('gpn-generator');
  for (const field of card.querySelectorAll('[data-set]')) {
    const name = field.dataset.set;
    field.addEventListener('input', () => {
      if (field.value !== '' && field.validity.valid) element.setAttribute(name, field.value);
    });
    if (name === 'seed') element?.addEventListener('gpn-sample', ({ detail }) => {
      if (document.activeElement !== field) field.value = detail.seed;
    });
  }
}

document.getElementById('all')?.addEventListener('click', () => {
  const elements = [...document.querySelectorAll('gpn-generator')];
  const seed = String(Math.max(...elements.map(({ seed }) => seed)) + 1);
  for (const element of elements) element.setAttribute('seed', seed);
});

const discriminators = document.getElementById('discriminators');
if (discriminators) {
  const map = document.querySelector('gpn-score-map');
  const choose = () => {
    const { value, selectedOptions: [{ dataset: { src, digest, image } }] } = discriminators;
    for (const text of document.querySelectorAll('[data-discriminator]')) text.hidden = text.dataset.discriminator !== value;
    // A picture that the reader has chosen stays, whoever discriminators it.
    if (image && map.image && !map.image.src.startsWith('blob:')) map.image.src = image;
    if (map.getAttribute('src') === src) return;
    map.removeAttribute('label');
    map.setAttribute('digest', digest);
    map.setAttribute('src', src);
  };
  discriminators.addEventListener('change', () => {
    history.replaceState(null, '', '#' + discriminators.value);
    choose();
  });
  const asked = () => {
    const name = location.hash.slice(1);
    if ([...discriminators.options].some(({ value }) => value === name)) discriminators.value = name;
    choose();
  };
  addEventListener('hashchange', asked);
  asked();
}
`;

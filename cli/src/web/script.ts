/** The script of the pages that `export-web` writes: it ties fields to the elements' attributes. */
export const SCRIPT = `for (const card of document.querySelectorAll('.card')) {
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

const judges = document.getElementById('judges');
if (judges) {
  const map = document.querySelector('gpn-score-map');
  const choose = () => {
    const { value, selectedOptions: [{ dataset: { src, digest, image } }] } = judges;
    for (const text of document.querySelectorAll('[data-judge]')) text.hidden = text.dataset.judge !== value;
    // A picture that the reader has chosen stays, whoever judges it.
    if (image && map.image && !map.image.src.startsWith('blob:')) map.image.src = image;
    if (map.getAttribute('src') === src) return;
    map.removeAttribute('label');
    map.setAttribute('digest', digest);
    map.setAttribute('src', src);
  };
  judges.addEventListener('change', () => {
    history.replaceState(null, '', '#' + judges.value);
    choose();
  });
  const asked = () => {
    const name = location.hash.slice(1);
    if ([...judges.options].some(({ value }) => value === name)) judges.value = name;
    choose();
  };
  addEventListener('hashchange', asked);
  asked();
}
`;

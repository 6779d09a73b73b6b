/**
 * The first script of each page that `export-web` writes, a classic one: it runs where modules do not,
 * and says why the page is dead there.
 */
export const START = `const FROM_A_FILE = 'This page was opened as a file, and browsers run its model only from a web server: ' +
  'start one in its folder, such as \`python3 -m http.server\`, and open http://localhost:8000/.';
const NOT_LOADED = 'The scripts of this page did not load: upload the whole folder, and let the host serve ' +
  '.js files as text/javascript.';

addEventListener('error', ({ target }) => {
  if (target.type !== 'module' || document.querySelector('.notice')) return;
  const notice = document.createElement('p');
  notice.className = 'notice';
  notice.setAttribute('role', 'alert');
  notice.textContent = location.protocol === 'file:' ? FROM_A_FILE : NOT_LOADED;
  document.querySelector('main').prepend(notice);
}, true);
`;

/** The table of models, for the terminal and for the page. */

/** A package's model by a short name: without what all paths have in common. */
const short = (label) =>
  label
    .replace(/@[\d.]+ /, ' ')
    .replace(/ (package\/)?(dist\/)?(models|model|webmodel|models\/webmodel)\//, ', ')
    .replace(/\/?(model)?\.json$/, '')
    .replace(/, ?$/, '');

/** What was said, on one line, without paths of this machine. */
const oneLine = (text) =>
  text
    .replace(/Load model from \S+ failed:/, '')
    .replace(/^gpn-cli: (\/\S+ cannot be exported: )?/, '')
    .replace(/(\/[\w.@+-]+){2,}\//g, '')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim();

/** What a judged file is: its difference from the right values, or what is wrong with it. */
const verdict = ({ right, difference, reason, filled }) =>
  (right ? `right, ${difference}` : `no: ${oneLine(reason).slice(0, 160)}`) + (filled ? ' ¹' : '');

const theirs = (peer) => (peer ? verdict(peer) : '');

/** @param rows a kind, and what our file and that of tf2onnx, if it was asked, were found to be, each */
export function tableOfKinds(rows) {
  const right = (who) => rows.filter(([, row]) => row[who].right).length;
  const asked = rows.some(([, { peer }]) => peer);
  const line = (...cells) => `| ${cells.slice(0, asked ? 3 : 2).join(' | ')} |`;
  return [
    line('kind', 'gpn-cli export', 'tf2onnx 1.17'),
    line('---', '---', '---'),
    ...rows.map(([kind, { ours, peer }]) =>
      line(kind.replaceAll('-', ' '), verdict(ours), theirs(peer)),
    ),
    '',
    `Right: ${right('ours')} of ${rows.length}${asked ? `; by tf2onnx, ${right('peer')}` : ''}.`,
  ].join('\n');
}

/** @param rows a model's label, what the export did, and what tf2onnx did, each */
export function tableOf(rows) {
  const count = (of) => rows.filter(of).length;
  return [
    '| model | kind | ONNX | seconds | memory | difference | tf2onnx 1.17 |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ([label, { right, kind, size, seconds, peak, difference, unrest, reason }, peer]) => {
        const result = right
          ? `${difference}${unrest ? ` (TF.js: ${unrest})` : ''}`
          : `no: ${oneLine(reason)}`;
        const cells = [
          short(label),
          kind,
          size ? `${size.toFixed(1)} MiB` : '',
          seconds.toFixed(0),
          `${peak} MiB`,
          result,
          theirs(peer),
        ];
        return `| ${cells.join(' | ')} |`;
      },
    ),
    '',
    `Right: ${count(([, { right }]) => right)} of ${rows.length}; by tf2onnx, ${count(([, , peer]) => peer?.right)} of ${count(([, , peer]) => peer)}.`,
  ].join('\n');
}

/** Milliseconds between two lines of a log. */
const LINE_EVERY = 10_000;

/** One line that is overwritten; in a log, a new one every ten seconds. */
export function statusLine(stream: NodeJS.WriteStream) {
  let last = performance.now();
  const write = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[2K${text}`);
  };
  const show = (text: string) => {
    write(text);
    if (stream.isTTY || performance.now() - last < LINE_EVERY) return;
    last = performance.now();
    stream.write(`${text}\n`);
  };
  return { show, clear: () => write('') };
}

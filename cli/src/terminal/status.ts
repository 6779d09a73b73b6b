/** One line that is overwritten; nothing if the output is not a terminal. */
export function statusLine(stream: NodeJS.WriteStream) {
  const write = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[2K${text}`);
  };
  return { show: write, clear: () => write('') };
}

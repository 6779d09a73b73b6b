/**
 * The way out of every text that may hold names and values from files. A control character in one
 * could rewrite the terminal's screen, so it is printed as its escape, `\u001b`, which in JSON means
 * the same character.
 */

/** Control characters but line feed and tab, and those that turn the direction of text round. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** The text with its control characters as escapes. */
export const printable = (text: string): string =>
  text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Prints a text to the standard error, which results do not go to. */
export const printAside = (text: string): void => void process.stderr.write(printable(text));

/** Prints a text to the standard output. */
export const print = (text: string): void => void process.stdout.write(printable(text));

export * from './declare.js';
export { fileOptions, modelOptions } from './options.js';
export { list, repeated, wholeNumber } from './parsers.js';
export { print, printAside, printable } from './print.js';
export { addDeclared, type Explained, explain, programOf, runProgram } from './program.js';

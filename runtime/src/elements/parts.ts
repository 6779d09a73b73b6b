// The entry `@gpn/runtime/elements/parts`: what other elements are made of, so that they look alike.
export { h } from './element.js';
export { styleSheet } from './style.js';

/** Defines `<gpn-generator>` and `<gpn-score-map>`; on a server it does nothing. */
import { GpnGenerator } from './generator.js';
import { GpnScoreMap } from './score-map.js';

export { GpnGenerator, GpnScoreMap };

const define = (name: string, element: CustomElementConstructor): void => {
  const { customElements } = globalThis;
  if (customElements !== undefined && customElements.get(name) === undefined) {
    customElements.define(name, element);
  }
};

define('gpn-generator', GpnGenerator);
define('gpn-score-map', GpnScoreMap);

declare global {
  interface HTMLElementTagNameMap {
    'gpn-generator': GpnGenerator;
    'gpn-score-map': GpnScoreMap;
  }
}

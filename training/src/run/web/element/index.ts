/** Defines `<gpn-trainer>`; on a server it does nothing. */
import { GpnTrainer } from './trainer.js';

export { GpnTrainer };

const { customElements } = globalThis;
if (customElements !== undefined && customElements.get('gpn-trainer') === undefined) {
  customElements.define('gpn-trainer', GpnTrainer);
}

declare global {
  interface HTMLElementTagNameMap {
    'gpn-trainer': GpnTrainer;
  }
}

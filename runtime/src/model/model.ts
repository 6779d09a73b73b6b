import type { ModelInfo } from '../format/model-info.js';
import type { Network } from '../session/batches.js';
import type { Device } from '../session/ort-session.js';
import { type Verification, verifyCertificate } from './certificate.js';

/** What all loaded models have in common. */
export class Model {
  protected readonly network: Network;

  constructor(network: Network) {
    this.network = network;
  }

  /** What the model says of itself. */
  get info(): ModelInfo {
    return this.network.info;
  }

  get device(): Device {
    return this.network.session.device;
  }

  /** Why this device was taken. */
  get reason(): string {
    return this.network.session.reason;
  }

  /** Checks on this machine the values that the exporting machine computed. */
  verify(): Promise<Verification> {
    return verifyCertificate(this.network);
  }

  /** Frees the model's memory. */
  dispose(): Promise<void> {
    return this.network.session.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

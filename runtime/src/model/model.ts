import type { ModelInfo } from '../format/model-info.js';
import type { OpenModel } from '../session/batches.js';
import type { Device, TensorData, TensorInfo } from '../session/ort-session.js';
import { type Verification, verifyCertificate } from './certificate.js';

/** What all loaded models have in common. Made by `loadModel` and by the subclasses' `load`. */
export class Model {
  protected readonly opened: OpenModel;

  constructor(opened: OpenModel) {
    this.opened = opened;
  }

  /** The model's metadata: what its inputs and outputs mean, and how it was trained. */
  get info(): ModelInfo {
    return this.opened.info;
  }

  /** The device on which it runs. */
  get device(): Device {
    return this.opened.session.device;
  }

  /** Why this device was chosen, and why those before it were not. */
  get reason(): string {
    return this.opened.session.reason;
  }

  /** The network's inputs; the main one is `info.input`. */
  get inputs(): readonly TensorInfo[] {
    return this.opened.session.inputs;
  }

  /** The network's outputs; the main one is `info.output`. */
  get outputs(): readonly TensorInfo[] {
    return this.opened.session.outputs;
  }

  /**
   * Runs the network once on tensors of the caller's.
   *
   * @param feeds every input by its name; they must not change before the run ends
   * @param fetch the names of the outputs wanted; all of them by default
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    fetch?: readonly string[],
  ): Promise<Record<string, TensorData>> {
    return this.opened.session.run(feeds, fetch);
  }

  /**
   * Computes the certificate's values on this machine and compares them with the exporting
   * machine's.
   *
   * @throws UserError if the file has no certificate
   */
  verify(): Promise<Verification> {
    return verifyCertificate(this.opened);
  }

  /** Frees the model's memory, once the runs that were queued before are done. */
  dispose(): Promise<void> {
    return this.opened.session.dispose();
  }

  /** The same as `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

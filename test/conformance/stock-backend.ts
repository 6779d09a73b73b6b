import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** Backends to record the specs on: TF.js's own `cpu`, and one that has no kernel at all. */
export function register(name: string): void {
  if (name !== 'cpu') tf.registerBackend(name, () => new NoKernels());
}

class NoKernels extends tf.KernelBackend {
  private readonly values = new Map<object, tf.BackendValues>();

  override write(values: tf.BackendValues): object {
    const dataId = {};
    this.values.set(dataId, values);
    return dataId;
  }
  override move(dataId: object, values: tf.BackendValues): void {
    this.values.set(dataId, values);
  }
  override readSync(dataId: object): tf.BackendValues {
    return this.values.get(dataId) as tf.BackendValues;
  }
  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }
  override numDataIds(): number {
    return 0;
  }
  override incRef(): void {}
  override refCount(): number {
    return 1;
  }
  override disposeData(): boolean {
    return true;
  }
  override memory() {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override dispose(): void {}
}

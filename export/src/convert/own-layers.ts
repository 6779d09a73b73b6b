/** Layers of the user's own, which TF.js knows only once it has their classes. */
import * as core from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';

/** What a function of own layers is given: TF.js's operations, and its layers. */
export type TensorFlowJs = Omit<typeof core, 'default'> & Omit<typeof tfLayers, 'default'>;

/**
 * Gives classes that extend `tf.layers.Layer` and have a static `className`, the name in the model.json;
 * or none, if it hands them to `tf.serialization.registerClass` itself. It is given TF.js because a class
 * of another copy of TF.js is no layer for this one.
 */
export type OwnLayers = (tf: TensorFlowJs) => unknown;

type LayerClass = Parameters<typeof core.serialization.registerClass>[0];

/**
 * Makes layers known to TF.js, for as long as the program runs.
 * @throws ExportError if the function fails, or gives what is no class of a layer
 */
export async function registerLayers(own: OwnLayers): Promise<void> {
  const tf: TensorFlowJs = { ...core, ...(await import('@tensorflow/tfjs-layers')) };
  for (const made of given(own, tf)) {
    const { className } = (made ?? {}) as { className?: unknown };
    if (typeof made !== 'function' || typeof className !== 'string') {
      throw new ExportError(
        'The own layers hold something that is no class of a layer: each needs a static className, its name in the model.json.',
      );
    }
    tf.serialization.registerClass(made as unknown as LayerClass);
  }
}

function given(own: OwnLayers, tf: TensorFlowJs): unknown[] {
  try {
    return [own(tf) ?? []].flat();
  } catch (error) {
    throw new ExportError(`The function of own layers failed: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

/** How TF.js says that it knows no class of a name. */
const UNKNOWN = /^Unknown (\w+): (\S+)$/;

/** Says what TF.js does not know, and how to make it known; undefined of another reason. */
export function unknownClass(reason: string): string | undefined {
  const [, kind, name] = UNKNOWN.exec(reason) ?? [];
  return (
    kind &&
    `it knows no ${kind} of the class "${name}": give the class with --layers FILE.mjs, a module ` +
      'whose default export is (tf) => [class …]'
  );
}

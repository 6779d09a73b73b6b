/** The guide's network of one's own, trained by the built command as a user would. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Images, stream } from '@gpn/runtime';
import { gpn } from '../cli.js';
import { root } from '../imports.js';

/** The generator's model file, after twenty steps on noise. */
export async function trainedByGuide(): Promise<Uint8Array> {
  // In the repository, so that the file finds the packages that it imports.
  mkdirSync(join(root, 'scratch'), { recursive: true });
  const folder = mkdtempSync(join(root, 'scratch/own-'));
  try {
    const guide = readFileSync(join(root, 'docs/guides/your-own-network.md'), 'utf8');
    const block = (pattern: RegExp) => pattern.exec(guide)?.[1] as string;
    writeFileSync(join(folder, 'my-network.js'), block(/```js\n(\/\/ my-network\.js\n.*?)```/s));
    writeFileSync(join(folder, 'my-faces.yml'), block(/```yaml\n(.*?)```/s));
    mkdirSync(join(folder, 'faces'));
    const random = stream(0, 'faces');
    for (let i = 0; i < 8; i++) {
      const face = new Images(1, 16, 16, 3, [0, 1], random.uniform(16 * 16 * 3, 0, 1));
      writeFileSync(join(folder, 'faces', `${i}.png`), await face.toPNG());
    }
    const options = ['--steps', '20', '--batch-size', '8', '--device', 'cpu', '--out', 'run'];
    const { code, stderr } = gpn(folder, 'train', 'my-faces.yml', ...options);
    if (code !== 0) throw new Error(stderr);
    return readFileSync(join(folder, 'run/generator.onnx'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

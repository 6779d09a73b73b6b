/** Programs and packages that some uses need and most do not. */
import { fileURLToPath } from 'node:url';
import { apt, type Finding } from './finding.js';
import { firstLine, versionOf, which } from './machine.js';

const AREA = 'Optional';

export async function optional(): Promise<Finding[]> {
  const training = fileURLToPath(import.meta.resolve('@gpn/training'));
  const engines = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'].map((name): Finding => {
    const version = versionOf(name, training);
    return version
      ? { area: AREA, name, state: 'ok', detail: `${version}: train --engine tensorflow takes it` }
      : {
          area: AREA,
          name,
          state: 'missing',
          detail: 'not installed; train --engine tensorflow would take it',
          remedy: `npm install ${name}@4.22.0`,
        };
  });
  const path = which('ffmpeg');
  const version = path && (await firstLine(path, '-version'))?.match(/version (\S+)/)?.[1];
  const ffmpeg: Finding = path
    ? { area: AREA, name: 'ffmpeg', state: 'ok', detail: `${path} (${version ?? 'unknown'})` }
    : {
        area: AREA,
        name: 'ffmpeg',
        state: 'missing',
        detail: 'not found; it could make a video of the pictures that a training leaves',
        ...apt('ffmpeg'),
      };
  return [...engines, ffmpeg];
}

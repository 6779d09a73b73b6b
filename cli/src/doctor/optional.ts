/** Programs and packages that only some features need. */
import { fileURLToPath } from 'node:url';
import { apt, type Finding } from './finding.js';
import { firstLine, versionOf, which } from './machine.js';

const AREA = 'Optional';

export async function optional(): Promise<Finding[]> {
  const training = fileURLToPath(import.meta.resolve('@gpn/training'));
  const engines = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'].map((name): Finding => {
    const version = versionOf(name, training);
    return version
      ? { area: AREA, name, state: 'ok', detail: `${version}, used by train --engine tensorflow` }
      : {
          area: AREA,
          name,
          state: 'missing',
          detail: 'not installed; train --engine tensorflow needs it',
          remedy: `npm install ${name}@4.22.0`,
        };
  });
  const path = which('ffmpeg');
  const version = path && (await firstLine(path, '-version'))?.match(/version (\S+)/)?.[1];
  const ffmpeg: Finding = path
    ? {
        area: AREA,
        name: 'ffmpeg',
        state: 'ok',
        detail: `${path} (${version ?? 'unknown version'})`,
      }
    : {
        area: AREA,
        name: 'ffmpeg',
        state: 'missing',
        detail: 'not found; sample needs it to write .mp4 files',
        ...apt('ffmpeg'),
      };
  return [...engines, ffmpeg];
}

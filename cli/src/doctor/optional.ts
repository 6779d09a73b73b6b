/** Programs and packages that only some features need. */
import { resultOf, tryApart } from './devices.js';
import { apt, type Finding } from './finding.js';
import { firstLine, which } from './machine.js';

const AREA = 'Optional';

/** The packages of the engine tensorflow, by the device that they alone have. */
const TENSORFLOW = { cpu: '@tensorflow/tfjs-node', cuda: '@tensorflow/tfjs-node-gpu' } as const;

/** Tries a package, because without install scripts npm installs it without its native part. */
async function tensorflow(device: keyof typeof TENSORFLOW): Promise<Finding> {
  const finding = { area: AREA, name: TENSORFLOW[device] };
  const use = `train --engine tensorflow --device ${device}`;
  const answer = await tryApart(device, 'tensorflow');
  if ('trial' in answer) {
    return { ...finding, state: 'ok', detail: `${resultOf(answer.trial)}: ${use}` };
  }
  const [reason = '', remedy] = answer.error.split(/: run `|`, or /);
  const detail = reason.endsWith('is not installed') ? `not installed; ${use} needs it` : reason;
  return { ...finding, state: 'missing', detail, ...(remedy && { remedy }) };
}

export async function optional(): Promise<Finding[]> {
  const engines = [await tensorflow('cpu'), await tensorflow('cuda')];
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

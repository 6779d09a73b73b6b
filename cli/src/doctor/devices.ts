/** Tries training and sampling on every device, and compares the results with known numbers. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { EngineName, Trial } from '@gpn/training';
import { apt, type Finding } from './finding.js';
import type { Vulkan } from './graphics.js';

const AREA = 'Devices';
const TIMEOUT = 60_000;

/** A Vulkan driver in software that comes with Debian's chromium: slow, but the same code path. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

const REMEDIES = {
  cpu: () => 'npm ci',
  wasm: () => 'npm install onnxruntime-web',
  cuda: () =>
    'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js',
  webgpu: (vulkan: Vulkan | undefined): string | undefined => {
    if (!vulkan) return undefined;
    if (!vulkan.loader) return apt('libvulkan1').remedy;
    if (vulkan.drivers.length === 0) return apt('mesa-vulkan-drivers').remedy;
    // The installed drivers find no GPU; this one does not need one.
    return existsSync(SWIFTSHADER)
      ? `VK_ICD_FILENAMES=${SWIFTSHADER} gpn-cli doctor`
      : apt('chromium libvulkan1').remedy;
  },
};

/** What a trial in a process of its own came to. */
export type Answer = { trial: Trial } | { error: string };

export async function devices(vulkan: Vulkan | undefined): Promise<Finding[]> {
  const findings: Finding[] = [];
  // One after the other, so that they do not slow each other down.
  for (const device of ['cpu', 'wasm', 'webgpu', 'cuda'] as const) {
    const answer = await tryApart(device);
    findings.push(
      'trial' in answer && answer.trial.device !== device
        ? replaced(device, answer.trial)
        : 'trial' in answer
          ? works(device, answer.trial, device === 'webgpu' && vulkan?.software === true)
          : lacks(device, answer.error, REMEDIES[device](vulkan)),
    );
  }
  const auto = await tryApart('auto');
  findings.push({
    area: AREA,
    name: 'auto',
    ...('trial' in auto
      ? { state: 'ok' as const, detail: `chooses ${auto.trial.device} (${auto.trial.reason})` }
      : { state: 'failed' as const, detail: auto.error }),
  });
  return findings;
}

const works = (name: string, trial: Trial, software: boolean): Finding => ({
  area: AREA,
  name,
  state: software ? 'note' : 'ok',
  detail: resultOf(trial) + (software ? '; in software, so slower than cpu' : ''),
});

/** What a trial did, how long it took, and how exact it was. */
export function resultOf({ train, sample }: Trial): string {
  const difference = Math.max(train.difference, sample?.difference ?? 0).toExponential(1);
  return [
    `trained in ${train.ms.toFixed(0)} ms`,
    ...(sample ? [`sampled in ${sample.ms.toFixed(0)} ms`] : []),
    `within ${difference} of the expected values`,
  ].join(', ');
}

/** The CPU of a machine for which there is no binary: another device computes in its place. */
const replaced = (name: string, { device, reason }: Trial): Finding => ({
  area: AREA,
  name,
  state: 'missing',
  detail: `${reason.replace(/^cpu: |; using .*/g, '')}; ${device} computes in its place, more slowly`,
  // The package holds binaries of all platforms that it supports: its script only adds CUDA's.
  ...(/not installed/.test(reason) && {
    remedy: 'npm install --ignore-scripts onnxruntime-node@1.30.0',
  }),
});

const lacks = (name: string, error: string, remedy: string | undefined): Finding => ({
  area: AREA,
  name,
  state: name === 'cpu' ? 'failed' : 'missing',
  detail: error
    .replace(`The device ${name} cannot be used`, 'cannot be used')
    .replace(/ that `[^`]*` fetches/, '') // the remedy says so
    .replace(/\.$/, ''),
  ...(remedy && { remedy }),
});

/** Tries a device, on the engine onnx unless told, in a process of its own. */
export function tryApart(device: string, engine?: EngineName): Promise<Answer> {
  return new Promise((resolve) => {
    const child = fork(
      new URL('./trial.js', import.meta.url),
      engine ? [device, engine] : [device],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    );
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ error: `no answer within ${TIMEOUT / 1000} seconds` });
    }, TIMEOUT);
    child.once('message', (answer) => resolve(answer as Answer));
    child.once('error', ({ message }) => resolve({ error: message }));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ error: `the trial ended with ${signal ?? `exit code ${code}`}` });
    });
  });
}

import { dataSets } from './data.js';
import { devices } from './devices.js';
import type { Finding } from './finding.js';
import { adapters, graphics, vulkan } from './graphics.js';
import { browsers, resources, software } from './machine.js';
import { optional } from './optional.js';

export { describe, type Finding } from './finding.js';

/** Everything that the doctor finds out about this machine; takes a few seconds. */
export async function findings(): Promise<Finding[]> {
  const gpus = await adapters();
  const found = vulkan(process.env, gpus?.length ?? 1);
  return [
    ...software(),
    ...(await resources()),
    ...(await devices(found)),
    ...graphics(gpus, found),
    ...(await dataSets()),
    ...(await browsers()),
    ...(await optional()),
  ];
}

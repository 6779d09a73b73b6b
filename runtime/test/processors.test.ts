import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { cpuQuota, processors } from '../src/node/processors.js';

const from = (files: Record<string, string>) => (path: string) => files[path];
const V2 = { '/proc/self/cgroup': '0::/a/b\n' };
const V1 = { '/proc/self/cgroup': '5:memory:/x\n4:cpu,cpuacct:/docker/c\n0::/\n' };
const v1 = (quota: string) => ({
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': quota,
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
});

test.each([
  ['no control groups', {}, Number.POSITIVE_INFINITY],
  ['no limit', { ...V2, '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }, Number.POSITIVE_INFINITY],
  ['a limit', { ...V2, '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }, 1.5],
  [
    'a smaller limit above',
    {
      ...V2,
      '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/a/cpu.max': '50000 100000\n',
    },
    0.5,
  ],
  // A container sees its own group as the root.
  ['a limit at the root', { ...V2, '/sys/fs/cgroup/cpu.max': '400000 200000\n' }, 2],
  ['version 1 without a limit', { ...V1, ...v1('-1\n') }, Number.POSITIVE_INFINITY],
  ['version 1 with a limit', { ...V1, ...v1('250000\n') }, 2.5],
])('the quota with %s', (_, files, quota) => {
  expect(cpuQuota(from(files))).toBe(quota);
});

test('a process may use at least one processor, and no more than the system offers', () => {
  expect(processors()).toBeGreaterThanOrEqual(1);
  expect(processors()).toBeLessThanOrEqual(availableParallelism());
});

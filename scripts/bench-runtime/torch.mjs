/** PyTorch's side: a process of Python that draws on request, so that it can take turns with ours. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PEERS = fileURLToPath(new URL('../../test/peers', import.meta.url));

const PROGRAM = `
import json, sys, time, torch
from torch import nn
sys.path.append(sys.argv[2])
from resnet import networks as resnet
from torch_version import torch_version
torch.set_num_threads(int(sys.argv[1]))
def block(i, o, k, s, p, act=nn.ReLU()): return [nn.ConvTranspose2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), act]
dcgan = nn.Sequential(*block(16, 128, 4, 1, 0), *block(128, 64, 4, 2, 1), *block(64, 32, 2, 2, 1), nn.ConvTranspose2d(32, 1, 2, 2, 0, bias=False), nn.Sigmoid())
sizes, layers = [100, 128, 256, 512, 1024, 784], []
for i in range(5):
    layers += [nn.Linear(sizes[i], sizes[i + 1])] + ([nn.BatchNorm1d(sizes[i + 1])] if 0 < i < 4 else []) + [nn.Tanh() if i == 4 else nn.LeakyReLU(0.2)]
mlp = nn.Sequential(*layers)
sizes, layers = [(100, 512, 1, 0), (512, 256, 2, 1), (256, 128, 2, 1), (128, 64, 2, 1)], []
for i, o, s, p in sizes: layers += block(i, o, 4, s, p, nn.LeakyReLU(0.2))
dcgan64 = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
networks = {
    'dcgan-mnist (5)': (dcgan, [16, 1, 1]), 'gan-mnist (3)': (mlp, [100]), 'dcgan-64': (dcgan64, [100, 1, 1]),
    'resnet-32': (resnet(32, 32)[0], [64]), 'resnet-64': (resnet(64, 32)[0], [64]),
}
for net, _ in networks.values(): net.eval()
counts = {name: sum(p.numel() for p in net.parameters()) for name, (net, _) in networks.items()}
print(json.dumps({'version': torch_version(), 'counts': counts}), flush=True)
with torch.no_grad():
    for line in sys.stdin:
        name, batch, seconds = line.strip().split('\\t')
        net, shape = networks[name]
        z, times, end = torch.randn(int(batch), *shape), [], time.perf_counter() + float(seconds)
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            net(z)
            times.append(time.perf_counter() - start)
        print(json.dumps(sorted(times)[len(times) // 2]), flush=True)
`;

/**
 * Starts PyTorch in a Python of the user's.
 *
 * @returns its version, and `milliseconds(system, batch, period)`: the median of a batch
 */
export async function startTorch(python, threads, systems) {
  const child = spawn(python, ['-c', PROGRAM, String(threads), PEERS], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) },
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  child.stdin.on('error', () => {}); // its last words say why
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const gone = new Promise((_, reject) => {
    const why = () =>
      reject(new Error(`${python} cannot run PyTorch: ${said.trim().split('\n').at(-1)}`));
    child.on('error', why);
    child.on('close', why);
  });
  const next = async () => JSON.parse((await Promise.race([lines.next(), gone])).value);
  const { version, counts } = await next();
  for (const [system, { parameters }] of Object.entries(systems)) {
    if (counts[system] !== parameters) throw new Error(`${system} differs in PyTorch`);
  }
  gone.catch(() => {}); // it is told to end
  return {
    name: `PyTorch ${version}`,
    async milliseconds(name, batch, period) {
      child.stdin.write(`${[name, batch, period / 1000].join('\t')}\n`);
      return 1000 * (await next());
    },
    end: () => child.stdin.end(),
  };
}

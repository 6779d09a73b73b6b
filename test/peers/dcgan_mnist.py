"""The training of dcgan-mnist in PyTorch, to be timed in turns with ours and compared in quality.

    python3 test/peers/dcgan_mnist.py --steps 50 --threads 2            # milliseconds a step
    python3 test/peers/dcgan_mnist.py --check FILE.safetensors          # its losses on our weights
    python3 test/peers/dcgan_mnist.py --train train-images-idx3-ubyte --steps 2000 --seed 0 --out images.npy

The last trains on MNIST and draws 10,000 images, [N, 28, 28, 1] in [0, 1], in inference mode.
FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
import struct

import numpy as np
import torch
from torch import nn

from common import adversarial, check, count, measure, options, start_normal

LATENT = 16
args = options()


def conv(*shape):
    return nn.utils.spectral_norm(nn.Conv2d(*shape, bias=False))


def deconv(*shape):
    return nn.ConvTranspose2d(*shape, bias=False)


generator = nn.Sequential(
    nn.Unflatten(1, (LATENT, 1, 1)),
    deconv(LATENT, 128, 4, 1, 0), nn.BatchNorm2d(128), nn.ReLU(),
    deconv(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
    deconv(64, 32, 2, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
    deconv(32, 1, 2, 2, 0), nn.Sigmoid(),
)
discriminator = nn.Sequential(
    conv(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),
    conv(32, 64, 2, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
    conv(64, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
    conv(128, 1, 4, 1, 0), nn.Flatten(),
)


assert count(generator) == 172_608 and count(discriminator) == 142_208

start_normal(generator)
start_normal(discriminator)

d_optimizer = torch.optim.Adam(discriminator.parameters(), 5e-4, (0.5, 0.99))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.99))
step = adversarial(generator, discriminator, d_optimizer, g_optimizer, (0, 1), on_real=0.9)


def train(path, steps):
    """Epochs in new orders, their last partial batch dropped, as ours are."""
    with open(path, "rb") as file:
        magic, n, height, width = struct.unpack(">4I", file.read(16))
        images = torch.from_numpy(np.frombuffer(file.read(), np.uint8).reshape(n, 1, height, width).copy())
    assert magic == 2051
    order, batches = None, n // args.batch
    for k in range(steps):
        if k % batches == 0:
            order = torch.randperm(n)
        start = (k % batches) * args.batch
        d_loss, g_loss = step(images[order[start : start + args.batch]], noise(args.batch))
        if (k + 1) % 100 == 0:
            print(f"{k + 1}/{steps} D {d_loss.item():.3f} G {g_loss.item():.3f}", flush=True)


def noise(rows):
    return torch.rand(rows, LATENT) * 2 - 1


def draw(number):
    generator.eval()
    with torch.no_grad():
        parts = [generator(noise(500)) for _ in range(number // 500)]
    return torch.cat(parts).permute(0, 2, 3, 1).contiguous().numpy()


if args.train:
    train(args.train, args.steps)
    np.save(args.out, draw(10_000))
elif args.check:
    check(step, generator, discriminator, args)
else:
    measure(step, (1, 28, 28), noise, args)

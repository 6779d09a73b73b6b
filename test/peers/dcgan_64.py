"""The training step of dcgan-64 in PyTorch, to be timed in turns with ours.

    python3 test/peers/dcgan_64.py --steps 50 --device cuda --batch 512   # milliseconds a step
    python3 test/peers/dcgan_64.py --check FILE.safetensors               # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
import torch
from torch import nn

from common import adversarial, check, count, measure, options, start_normal

LATENT = 100
args = options()


def up(inputs, outputs, stride=2, padding=1):
    deconv = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
    return deconv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)


def down(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)


generator = nn.Sequential(
    nn.Unflatten(1, (LATENT, 1, 1)),
    *up(LATENT, 512, 1, 0), *up(512, 256), *up(256, 128), *up(128, 64),
    nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
)
discriminator = nn.Sequential(
    nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
    *down(64, 128), *down(128, 256), *down(256, 512),
    nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Flatten(),
)
start_normal(generator)
start_normal(discriminator)

d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
step = adversarial(generator, discriminator, d_optimizer, g_optimizer, (-1, 1))

if args.check:
    check(step, generator, discriminator, args)
else:
    measure(step, (3, 64, 64), lambda rows: torch.randn(rows, LATENT), args)

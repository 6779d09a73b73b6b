"""The training step of gan-mnist in PyTorch, to be timed in turns with ours.

    python3 test/peers/gan_mnist.py --steps 50 --threads 2              # milliseconds a step
    python3 test/peers/gan_mnist.py --check FILE.safetensors            # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
import torch
from torch import nn

from common import adversarial, check, count, measure, options

LATENT = 100
args = options()


def block(inputs, outputs):
    return nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.2)


generator = nn.Sequential(
    nn.Linear(LATENT, 128), nn.LeakyReLU(0.2),
    *block(128, 256), *block(256, 512), *block(512, 1024),
    nn.Linear(1024, 784), nn.Tanh(),
)
discriminator = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 512), nn.LeakyReLU(0.2),
    nn.Linear(512, 256), nn.LeakyReLU(0.2),
    nn.Linear(256, 1),
)
assert count(generator) == 1_510_032 and count(discriminator) == 533_505

d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
step = adversarial(generator, discriminator, d_optimizer, g_optimizer, (-1, 1))

if args.check:
    check(step, generator, discriminator, args)
else:
    measure(step, (1, 28, 28), lambda rows: torch.randn(rows, LATENT), args)

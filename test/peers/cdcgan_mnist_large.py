"""The training step of cdcgan-mnist-large in PyTorch, to be timed in turns with ours.

    python3 test/peers/cdcgan_mnist_large.py --steps 50 --device cuda     # milliseconds a step
    python3 test/peers/cdcgan_mnist_large.py --check FILE.safetensors     # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8), `labels` (one-hot) and `latents` of one batch.
"""
import torch
from torch import nn

from common import adversarial, check, count, measure, options, start_normal

LATENT, CLASSES = 100, 10
args = options()


class Joined(nn.Module):
    """Layers whose input is a vector, or an image as one, with the classes behind it."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x, labels):
        return self.layers(torch.cat([x.flatten(1), labels], 1))


class AsImage(nn.Module):
    """A vector as an image of 4 × 4 pixels, the channels of a pixel side by side in the vector."""

    def forward(self, x):
        return x.view(len(x), 4, 4, -1).permute(0, 3, 1, 2)


def up(inputs, outputs, kernel):
    deconv = nn.ConvTranspose2d(inputs, outputs, kernel, 2, 1, bias=False)
    return deconv, nn.BatchNorm2d(outputs), nn.ReLU()


def down(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)


generator = Joined(
    nn.Linear(LATENT + CLASSES, 4 * 4 * 512), nn.ReLU(), AsImage(),
    *up(512, 256, 3), *up(256, 128, 4),
    nn.ConvTranspose2d(128, 1, 4, 2, 1, bias=False), nn.Tanh(),
)
discriminator = Joined(
    nn.Linear(784 + CLASSES, 784), nn.LeakyReLU(0.2), nn.Unflatten(1, (1, 28, 28)),
    *down(1, 512), *down(512, 256), *down(256, 128),
    nn.AvgPool2d(4), nn.Flatten(), nn.Linear(128, 1),
)
start_normal(generator)
start_normal(discriminator)

d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
step = adversarial(generator, discriminator, d_optimizer, g_optimizer, (-1, 1))

if args.check:
    check(step, generator, discriminator, args)
else:
    measure(step, (1, 28, 28), lambda rows: torch.randn(rows, LATENT), args, CLASSES)

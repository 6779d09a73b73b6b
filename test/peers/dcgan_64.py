"""The training step of dcgan-64 in PyTorch, to be timed in turns with ours.

    python3 test/peers/dcgan_64.py --steps 10 --threads 2            # milliseconds a step
    python3 test/peers/dcgan_64.py --check FILE.safetensors          # its losses on our weights

FILE holds a starting state of ours, and `images` (uint8) and `latents` of one batch.
"""
import torch
from torch import nn

from common import check, count, measure, options, read_safetensors, take

LATENT = 100
args = options()


def conv(*shape):
    return nn.Conv2d(*shape, bias=False)


def deconv(*shape):
    return nn.ConvTranspose2d(*shape, bias=False)


generator = nn.Sequential(
    deconv(LATENT, 512, 4, 1, 0), nn.BatchNorm2d(512), nn.LeakyReLU(0.2),
    deconv(512, 256, 4, 2, 1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
    deconv(256, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
    deconv(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
    deconv(64, 3, 4, 2, 1), nn.Tanh(),
)
discriminator = nn.Sequential(
    conv(3, 64, 4, 2, 1), nn.LeakyReLU(0.2),
    conv(64, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
    conv(128, 256, 4, 2, 1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
    conv(256, 512, 4, 2, 1), nn.BatchNorm2d(512), nn.LeakyReLU(0.2),
    conv(512, 1, 4, 1, 0), nn.Flatten(),
)

d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
bce = nn.BCEWithLogitsLoss()


def step(pixels, latents):
    real = pixels.float() / 127.5 - 1
    fake = generator(latents.view(-1, LATENT, 1, 1))
    d_optimizer.zero_grad(set_to_none=True)
    on_real, on_fake = discriminator(real), discriminator(fake.detach())
    d_loss = bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))
    d_loss.backward()
    d_optimizer.step()
    g_optimizer.zero_grad(set_to_none=True)
    judged = discriminator(fake)
    g_loss = bce(judged, torch.ones_like(judged))
    g_loss.backward()
    g_optimizer.step()
    return d_loss, g_loss


if args.check:
    tensors = read_safetensors(args.check)
    take(generator, tensors, "generator", "deconv")
    take(discriminator, tensors, "discriminator", "conv")
    check(step, tensors)
else:
    measure(step, lambda n: torch.randn(n, LATENT), args, (3, 64, 64))
